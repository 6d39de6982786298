#include "common/base/crash_point.hpp"

#if POSTROOM_CRASH_POINTS
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace postroom {

namespace {

struct Armed {
  std::string name;
  long nth = 1;
  std::string text;  // of name=text
};

Armed from_environment() {
  const char* setting = std::getenv("POSTROOM_CRASH_AT");
  Armed armed;
  if (setting == nullptr) return armed;
  const std::string_view text{setting};
  if (const auto sign = text.find('='); sign != std::string_view::npos) {
    armed.name = text.substr(0, sign);
    armed.text = text.substr(sign + 1);
    return armed;
  }
  const auto colon = text.find(':');
  armed.name = text.substr(0, colon);
  if (colon != std::string_view::npos) armed.nth = std::strtol(text.data() + colon + 1, nullptr, 10);
  return armed;
}

const Armed& armed() {
  static const Armed once = from_environment();
  return once;
}

}  // namespace

void crash_point(const char* name) {
  static std::atomic<long> passages{0};
  if (armed().name != name || !armed().text.empty()) return;
  if (++passages == armed().nth) _exit(137);
}

void crash_at_bytes(const char* name, std::string_view bytes) {
  if (armed().name != name || armed().text.empty()) return;
  if (bytes.find(armed().text) != std::string_view::npos) _exit(137);
}

}  // namespace postroom
#endif
