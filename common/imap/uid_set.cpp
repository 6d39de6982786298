#include "common/imap/uid_set.hpp"

#include <fmt/format.h>

#include <limits>

namespace postroom::imap {

std::optional<std::uint64_t> parse_number(std::string_view digits, std::uint64_t highest) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > highest || number > (highest - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

namespace {

std::optional<Uid> parse_uid(std::string_view digits) {
  const auto number = parse_number(digits, std::numeric_limits<Uid>::max());
  if (!number || *number == 0) return std::nullopt;
  return static_cast<Uid>(*number);
}

}  // namespace

std::optional<UidSet> parse_uid_set(std::string_view text, std::size_t range_limit) {
  UidSet set;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const auto colon = part.find(':');
    const auto first = parse_uid(part.substr(0, colon));
    const auto last = colon == std::string_view::npos ? first : parse_uid(part.substr(colon + 1));
    if (!first || !last || set.size() == range_limit) return std::nullopt;
    set.push_back(*first <= *last ? UidRange{*first, *last} : UidRange{*last, *first});
    if (comma == std::string_view::npos) return set;
    text.remove_prefix(comma + 1);
  }
}

std::string to_text(std::span<const Uid> uids) {
  std::string out;
  for (std::size_t at = 0; at < uids.size();) {
    std::size_t end = at + 1;
    while (end < uids.size() && uids[end] == uids[end - 1] + 1) ++end;
    if (!out.empty()) out += ',';
    out += end - at == 1 ? fmt::format("{}", uids[at]) : fmt::format("{}:{}", uids[at], uids[end - 1]);
    at = end;
  }
  return out;
}

std::uint64_t count_of(const UidSet& set) {
  std::uint64_t count = 0;
  for (const UidRange& range : set) count += std::uint64_t{range.last} - range.first + 1;
  return count;
}

}  // namespace postroom::imap
