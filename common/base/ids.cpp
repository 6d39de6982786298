#include "common/base/ids.hpp"

#include <sys/random.h>

#include <cctype>
#include <cstdlib>

namespace postroom {

std::string to_text(const UuidBytes& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    text[at++] = digits[bytes[i] >> 4];
    text[at++] = digits[bytes[i] & 15];
  }
  return text;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

UuidBytes uuid_bytes(std::string_view text) {
  UuidBytes bytes{};
  if (!is_uuid(text)) return bytes;
  const auto nibble = [](char c) -> std::uint8_t {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    return static_cast<std::uint8_t>((c | 0x20) - 'a' + 10);
  };
  std::size_t at = 0;
  for (auto& byte : bytes) {
    if (text[at] == '-') ++at;
    byte = static_cast<std::uint8_t>(nibble(text[at]) << 4 | nibble(text[at + 1]));
    at += 2;
  }
  return bytes;
}

std::string SystemIds::next() {
  UuidBytes bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  const auto ms = static_cast<std::uint64_t>(to_micros(SystemClock{}.wall()) / 1000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x70);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  return to_text(bytes);
}

}  // namespace postroom
