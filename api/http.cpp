#include "api/http.hpp"

#include <algorithm>

namespace postroom::api {

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::get: return "GET";
    case Verb::post: return "POST";
    case Verb::put: return "PUT";
    case Verb::patch: return "PATCH";
    case Verb::remove: return "DELETE";
  }
  return "";
}

bool Principal::may(std::string_view permission) const {
  return std::ranges::any_of(permissions, [&](const std::string& held) { return held == permission || held == "administrator"; });
}

}  // namespace postroom::api
