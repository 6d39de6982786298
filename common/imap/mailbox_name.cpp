#include "common/imap/mailbox_name.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include "common/base/text.hpp"

namespace postroom::imap {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
constexpr std::size_t longest_name = 1000;

// The code point at the front of valid UTF-8, which is taken away.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  char32_t point = length == 1 ? first : first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) point = point << 6 | (byte(i) & 0x3f);
  text.remove_prefix(length);
  return point;
}

void append_utf8(std::string& out, char32_t point) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
  }
  put(0x80 | (point & 0x3f));
}

bool is_direct(char32_t point) {
  return point >= 0x20 && point <= 0x7e;
}

// A run of code points outside printable ASCII, as &…-.
void append_shifted(std::string& out, const std::vector<char32_t>& run) {
  out += '&';
  std::uint32_t bits = 0;
  int bit_count = 0;
  const auto unit = [&](char32_t value) {
    bits = bits << 16 | static_cast<std::uint32_t>(value);
    bit_count += 16;
    while (bit_count >= 6) out += alphabet[bits >> (bit_count -= 6) & 0x3f];
    bits &= (1u << bit_count) - 1;
  };
  for (const char32_t point : run) {
    if (point >= 0x10000) {
      unit(0xd800 + ((point - 0x10000) >> 10));
      unit(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      unit(point);
    }
  }
  if (bit_count > 0) out += alphabet[bits << (6 - bit_count) & 0x3f];
  out += '-';
}

// The inside of &…- back to UTF-8; false when it is not base64 of UTF-16. What is merely written another way than ours
// is found by encoding the whole name again.
bool append_unshifted(std::string& out, std::string_view base64) {
  std::uint32_t bits = 0;
  int bit_count = 0;
  char32_t high = 0;
  for (const char c : base64) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count < 16) continue;
    bit_count -= 16;
    const char32_t unit = bits >> bit_count & 0xffff;
    bits &= (1u << bit_count) - 1;
    if (unit >= 0xd800 && unit < 0xdc00) {
      if (high != 0) return false;
      high = unit;
    } else if (unit >= 0xdc00 && unit < 0xe000) {
      if (high == 0) return false;
      append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
      high = 0;
    } else {
      if (high != 0) return false;
      append_utf8(out, unit);
    }
  }
  return high == 0;
}

}  // namespace

Result<std::string> encode_mailbox_name(std::string_view utf8) {
  const auto refused = [](const char* what) { return Error{Code::bad_message, what, "mailbox"}; };
  if (utf8.empty()) return refused("the mailbox name is empty");
  if (!is_valid_utf8(utf8)) return refused("the mailbox name is not valid UTF-8");
  if (has_control_bytes(utf8)) return refused("the mailbox name contains control bytes");
  std::string out;
  std::vector<char32_t> run;
  while (!utf8.empty() && out.size() <= longest_name && run.size() <= longest_name) {
    const char32_t point = take_code_point(utf8);
    if (!is_direct(point)) {
      run.push_back(point);
      continue;
    }
    if (!run.empty()) append_shifted(out, run);
    run.clear();
    if (point == '&') {
      out += "&-";
    } else {
      out += static_cast<char>(point);
    }
  }
  if (!run.empty()) append_shifted(out, run);
  if (out.size() > longest_name) return refused("the mailbox name is longer than 1000 bytes");
  return out;
}

Result<std::string> decode_mailbox_name(std::string_view wire) {
  const Error malformed{Code::bad_message, "the mailbox name is not modified UTF-7", "mailbox"};
  if (wire.size() > longest_name) return malformed;
  std::string out;
  std::string_view rest = wire;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '&') {
      out += c;
      continue;
    }
    const auto end = rest.find('-');
    if (end == std::string_view::npos) return malformed;
    if (end == 0) {
      out += '&';
    } else if (!append_unshifted(out, rest.substr(0, end))) {
      return malformed;
    }
    rest.remove_prefix(end + 1);
  }
  const auto again = encode_mailbox_name(out);
  if (!again || *again != wire) return malformed;
  return out;
}

}  // namespace postroom::imap
