#include "api/download.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/mail/file_name.hpp"

namespace postroom::api {

namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || std::string_view{"!#$&-^_.+"}.find(c) != std::string_view::npos; });
}

// One _ for each character that is not plain ASCII; a % would be read as an escape by some.
std::string ascii_form(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xc0) continue;  // the rest of a character
    const bool is_plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '%';
    out.push_back(is_plain ? c : '_');
  }
  return out;
}

std::string percent_form(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::string content_disposition(std::string_view file_name, std::string_view media_type) {
  const std::string name = mail::safe_file_name(to_valid_utf8(file_name), media_type, 1);
  const std::string ascii = ascii_form(name);
  std::string value = fmt::format("attachment; filename=\"{}\"", ascii);
  if (ascii != name) value += fmt::format("; filename*=UTF-8''{}", percent_form(name));
  return value;
}

std::string safe_media_type(std::string_view media_type) {
  const auto bare = trimmed(media_type.substr(0, media_type.find(';')));
  const auto slash = bare.find('/');
  const bool is_fine = slash != std::string_view::npos && bare.size() <= 127 && is_token(bare.substr(0, slash)) && is_token(bare.substr(slash + 1));
  return is_fine ? to_lower_ascii(bare) : "application/octet-stream";
}

}  // namespace postroom::api
