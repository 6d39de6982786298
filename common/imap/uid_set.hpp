#pragma once
// Sets of UIDs as IMAP writes them: 3,7:9 (RFC 9051, sequence-set without "*").

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postroom::imap {

using Uid = std::uint32_t;  // never 0

struct UidRange {
  Uid first = 0;
  Uid last = 0;  // not below first
  bool operator==(const UidRange&) const = default;
};
using UidSet = std::vector<UidRange>;

// At most `range_limit` ranges, every number 1…4294967295; 9:7 reads as 7:9. Nothing when the text is not such a set.
std::optional<UidSet> parse_uid_set(std::string_view text, std::size_t range_limit);

// `uids` ascending and distinct; neighbours are joined: 1,2,3,7 becomes 1:3,7.
std::string to_text(std::span<const Uid> uids);

// How many UIDs the set names (overlaps count twice).
std::uint64_t count_of(const UidSet& set);

// A decimal number without sign, at most `highest`; nothing for an empty text, a foreign byte or an overflow.
std::optional<std::uint64_t> parse_number(std::string_view digits, std::uint64_t highest);

}  // namespace postroom::imap
