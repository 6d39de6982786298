#pragma once
// The Date header (RFC 5322, 3.3 and 4.3), and what else is written there.

#include <optional>
#include <string_view>

#include "common/base/clock.hpp"

namespace postroom::mail {

// Tokens in any order: day, month name, year of two to four digits, time with or without seconds, zone by number or old
// name, comments. None for what is no date, lies outside 1970–2200, or names a zone beyond ±14:59: then the time of
// arrival counts.
std::optional<WallTime> parse_date(std::string_view text);

}  // namespace postroom::mail
