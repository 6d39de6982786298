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
};

Armed from_environment() {
  const char* setting = std::getenv("POSTROOM_CRASH_AT");
  Armed armed;
  if (setting == nullptr) return armed;
  const std::string_view text{setting};
  const auto colon = text.find(':');
  armed.name = text.substr(0, colon);
  if (colon != std::string_view::npos) armed.nth = std::strtol(text.data() + colon + 1, nullptr, 10);
  return armed;
}

}  // namespace

void crash_point(const char* name) {
  static const Armed armed = from_environment();
  static std::atomic<long> passages{0};
  if (armed.name.empty() || armed.name != name) return;
  if (++passages == armed.nth) _exit(137);
}

}  // namespace postroom
#endif
