#include "common/mail/file_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"

namespace postroom::mail {

namespace {

// Characters that turn, hide or join what a person reads (UTF-8 of U+00AD, U+200B–F, U+202A–E, U+2060–9, U+FEFF).
std::size_t invisible_length(std::string_view text) {
  if (text.substr(0, 2) == "\xc2\xad") return 2;
  if (text.size() < 3) return 0;
  if (text.substr(0, 3) == "\xef\xbb\xbf") return 3;
  if (text[0] != '\xe2') return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const auto third = static_cast<unsigned char>(text[2]);
  if (second == 0x80 && ((third >= 0x8b && third <= 0x8f) || (third >= 0xa8 && third <= 0xae))) return 3;
  return second == 0x81 && third >= 0xa0 && third <= 0xaf ? 3 : 0;
}

bool is_reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 6> devices = {"con", "prn", "aux", "nul", "com", "lpt"};
  const std::string stem = to_lower_ascii(trimmed(name.substr(0, name.find('.'))));
  if (stem.size() == 4 && stem[3] >= '0' && stem[3] <= '9')
    return stem.substr(0, 3) == "com" || stem.substr(0, 3) == "lpt";
  return stem.size() == 3 && std::find(devices.begin(), devices.begin() + 4, stem) != devices.begin() + 4;
}

std::string_view extension_of(std::string_view content_type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> known = {
      {{"text/plain", ".txt"},
       {"text/html", ".html"},
       {"text/calendar", ".ics"},
       {"text/csv", ".csv"},
       {"image/png", ".png"},
       {"image/jpeg", ".jpg"},
       {"image/gif", ".gif"},
       {"image/svg+xml", ".svg"},
       {"application/pdf", ".pdf"},
       {"application/zip", ".zip"},
       {"message/rfc822", ".eml"},
       {"application/ms-tnef", ".dat"},
       {"application/pgp-signature", ".asc"},
       {"application/json", ".json"}}};
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == content_type; });
  return found == known.end() ? ".bin" : found->second;
}

std::string cut_keeping_extension(std::string_view name) {
  if (name.size() <= longest_file_name) return std::string{name};
  const auto dot = name.rfind('.');
  std::string_view extension =
      dot == std::string_view::npos || name.size() - dot > 16 ? std::string_view{} : name.substr(dot);
  return std::string{cut_utf8(name, longest_file_name - extension.size())} + std::string{extension};
}

}  // namespace

std::string safe_file_name(std::string_view original, std::string_view content_type, std::size_t number) {
  const std::string valid = to_valid_utf8(original);
  std::string_view text = valid;
  if (const auto slash = text.find_last_of("/\\"); slash != std::string_view::npos) text.remove_prefix(slash + 1);
  std::string name;
  while (!text.empty()) {
    if (const std::size_t length = invisible_length(text); length > 0) {
      text.remove_prefix(length);
      continue;
    }
    const char c = text.front();
    const bool is_syntax = std::string_view{"<>:\"|?*`$;&"}.find(c) != std::string_view::npos;
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) name.push_back(is_syntax ? '_' : c);
    text.remove_prefix(1);
  }
  const auto first = name.find_first_not_of(". ");
  if (first == std::string::npos) return fmt::format("attachment-{}{}", number, extension_of(content_type));
  name = name.substr(first, name.find_last_not_of(". ") - first + 1);
  if (is_reserved(name)) name.insert(0, "_");
  name = cut_keeping_extension(name);
  name.resize(name.find_last_not_of(". ") + 1);  // the cut may end in one
  if (name.front() == '-') name.front() = '_';  // would read as an option
  return name;
}

}  // namespace postroom::mail
