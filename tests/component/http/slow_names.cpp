// Names under .postroom.test resolve here instead of in the system's resolver, in libcurl too: the executable's getaddrinfo comes first.

#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view name = node == nullptr ? "" : node;
  if (name == "slow.postroom.test") {
    std::this_thread::sleep_for(std::chrono::seconds{5});
    return EAI_AGAIN;
  }
  if (name == "nowhere.postroom.test") return EAI_NONAME;
  if (name == "metadata.postroom.test") return real("169.254.169.254", service, hints, found);
  if (name == "loopback.postroom.test") return real("127.0.0.1", service, hints, found);
  return real(node, service, hints, found);
}
