#pragma once
// The date at which a server received a mail.

#include <optional>
#include <string_view>

#include "common/base/clock.hpp"

namespace postroom::imap {

// INTERNALDATE (RFC 9051, date-time): " 1-Jul-2026 02:44:25 -0700". Nothing when it is no such date.
std::optional<WallTime> parse_internal_date(std::string_view text);

}  // namespace postroom::imap
