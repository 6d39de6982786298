#include "common/base/result.hpp"

namespace postroom {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::bad_message: return "bad_message";
    case Code::not_found: return "not_found";
    case Code::conflict: return "conflict";
    case Code::unauthorized: return "unauthorized";
    case Code::rate_limited: return "rate_limited";
    case Code::timeout: return "timeout";
    case Code::unavailable: return "unavailable";
    case Code::io: return "io";
    case Code::bug: return "bug";
  }
  return "bug";
}

}  // namespace postroom
