#pragma once
// Planted bugs, to prove that the checks can fail. `saboteur("name")` is false at compile time in every build but one: with POSTROOM_SABOTAGE (preset
// `sabotage`) it is true when the environment variable POSTROOM_SABOTAGE is that name. tests/sabotage/table says which check must catch which.

#include <string_view>

namespace postroom {

#if POSTROOM_SABOTAGE
bool saboteur(std::string_view name);
#else
consteval bool saboteur(std::string_view) { return false; }
#endif

}  // namespace postroom
