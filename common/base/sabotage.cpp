#include "common/base/sabotage.hpp"

#if POSTROOM_SABOTAGE
#include <cstdlib>
#include <string>

namespace postroom {

bool saboteur(std::string_view name) {
  static const std::string planted = [] {
    const char* setting = std::getenv("POSTROOM_SABOTAGE");
    return std::string{setting == nullptr ? "" : setting};
  }();
  return planted == name;
}

}  // namespace postroom
#endif
