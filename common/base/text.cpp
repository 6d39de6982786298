#include "common/base/text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>

namespace postroom {

namespace {

// Length of the valid UTF-8 sequence at the start of `text`, or 0 (RFC 3629: no surrogates, no overlong forms).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

// Printable ASCII that JSON takes as it is.
bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// How many such bytes stand at the start. Most texts are nothing else, so eight are looked at together: in each term below, a byte's highest bit is set
// if the byte is what the term is about.
std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof eight);
    const auto is = [&](unsigned char c) { return ((eight ^ (ones * c)) - ones) & ~(eight ^ (ones * c)); };
    const std::uint64_t is_control = (eight - ones * 0x20) & ~eight;
    if (((eight | is_control | is(0x7f) | is('"') | is('\\')) & tops) != 0) break;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

}  // namespace

std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (true) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return out;
    const char c = text.front();
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else if (const std::size_t length = sequence_length(text); length > 1) {
      out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    } else {
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(1);
  }
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    out += length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string_view cut_utf8(std::string_view text, std::size_t byte_count) {
  if (text.size() <= byte_count) return text;
  // A character has at most three bytes after its first; a longer run of such bytes is none, and may be cut anywhere.
  const std::size_t least = byte_count < 3 ? 0 : byte_count - 3;
  std::size_t end = byte_count;
  while (end > least && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

std::string plain_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view one = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(one.size());
    const char c = one[0];
    if (length == 0) continue;
    if (length == 1) {
      if (c == '\r') {
        if (!text.starts_with('\n')) out.push_back('\n');
      } else if (c == '\t') {
        out.push_back(' ');
      } else if (c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) {
        out.push_back(c);
      }
      continue;
    }
    const bool is_c1_control = length == 2 && c == '\xc2' && static_cast<unsigned char>(one[1]) < 0xa0;
    const bool is_noncharacter = one == "\xef\xbf\xbe" || one == "\xef\xbf\xbf";
    if (!is_c1_control && !is_noncharacter) out += one;
  }
  return out;
}

std::string on_one_line(std::string_view text) {
  std::string out;
  for (const char c : plain_text(text)) {
    const bool is_blank = c == ' ' || c == '\n';
    if (!is_blank) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

namespace {
// Of a code point by its first byte; continuation bytes count nothing.
std::size_t units_of(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
}
}  // namespace

std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) units += units_of(c);
  return units;
}

std::string_view cut_utf16(std::string_view text, std::size_t unit_count) {
  std::size_t units = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    units += units_of(text[at]);
    if (units > unit_count) return text.substr(0, at);
  }
  return text;
}

bool has_control_bytes(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  const std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string to_lower_ascii(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace postroom
