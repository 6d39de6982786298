#pragma once
// Keyset cursors: "<number>_<text in hex>", opaque to callers and safe in URLs.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace postroom::store {

struct Cursor {
  std::int64_t number = 0;
  std::string text;
};

inline std::string to_text(const Cursor& cursor) {
  std::string out = fmt::format("{}_", cursor.number);
  for (const unsigned char byte : cursor.text) out += fmt::format("{:02x}", byte);
  return out;
}

// None: not a cursor of ours.
inline std::optional<Cursor> cursor_from(std::string_view text) {
  Cursor cursor;
  const auto end_of_number = std::from_chars(text.data(), text.data() + text.size(), cursor.number);
  if (end_of_number.ec != std::errc{}) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end_of_number.ptr - text.data()));
  if (rest.empty() || rest.front() != '_' || rest.size() % 2 == 0) return std::nullopt;
  for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(2)) {
    unsigned value = 0;
    const auto end = std::from_chars(rest.data(), rest.data() + 2, value, 16);
    if (end.ec != std::errc{} || end.ptr != rest.data() + 2) return std::nullopt;
    cursor.text.push_back(static_cast<char>(value));
  }
  return cursor;
}

}  // namespace postroom::store
