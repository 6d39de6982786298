#include "common/mail_sandbox/child/charsets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "common/base/text.hpp"

namespace postroom::mail_sandbox {

namespace {

struct Known {
  std::string_view name;  // iconv's
  bool is_one_byte;
};
constexpr std::array<Known, 53> known = {{
    {"ISO-8859-1", true},     {"ISO-8859-2", true},   {"ISO-8859-3", true},   {"ISO-8859-4", true},
    {"ISO-8859-5", true},     {"ISO-8859-6", true},   {"ISO-8859-7", true},   {"ISO-8859-8", true},
    {"ISO-8859-9", true},     {"ISO-8859-10", true},  {"ISO-8859-11", true},  {"ISO-8859-13", true},
    {"ISO-8859-14", true},    {"ISO-8859-15", true},  {"ISO-8859-16", true},  {"WINDOWS-1250", true},
    {"WINDOWS-1251", true},   {"WINDOWS-1252", true}, {"WINDOWS-1253", true}, {"WINDOWS-1254", true},
    {"WINDOWS-1255", true},   {"WINDOWS-1256", true}, {"WINDOWS-1257", true}, {"WINDOWS-1258", true},
    {"KOI8-R", true},         {"KOI8-U", true},       {"CP437", true},        {"CP850", true},
    {"CP852", true},          {"CP855", true},        {"CP858", true},        {"CP866", true},
    {"CP874", true},          {"TIS-620", true},      {"MACINTOSH", true},    {"VISCII", true},
    {"ARMSCII-8", true},      {"GEORGIAN-PS", true},  {"CP932", false},       {"EUC-JP-MS", false},
    {"ISO-2022-JP-3", false}, {"CP949", false},       {"ISO-2022-KR", false}, {"JOHAB", false},
    {"GB18030", false},       {"BIG5-HKSCS", false},  {"EUC-TW", false},      {"ISO-2022-CN-EXT", false},
    {"UTF-16", false},        {"UTF-16LE", false},    {"UTF-16BE", false},    {"UTF-32", false},
    {"UTF-32LE", false},
}};

struct Alias {
  std::string_view label;  // lower case
  std::string_view name;
};
// What mail programs write, and what they mean by it: Microsoft's supersets.
constexpr std::array<Alias, 62> aliases = {{
    {"iso-8859-1", "WINDOWS-1252"},
    {"iso8859-1", "WINDOWS-1252"},
    {"iso_8859-1", "WINDOWS-1252"},
    {"latin1", "WINDOWS-1252"},
    {"latin-1", "WINDOWS-1252"},
    {"l1", "WINDOWS-1252"},
    {"cp1252", "WINDOWS-1252"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"latin5", "WINDOWS-1254"},
    {"cp1254", "WINDOWS-1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"cp1250", "WINDOWS-1250"},
    {"cp1251", "WINDOWS-1251"},
    {"win-1251", "WINDOWS-1251"},
    {"cp1253", "WINDOWS-1253"},
    {"cp1255", "WINDOWS-1255"},
    {"cp1256", "WINDOWS-1256"},
    {"cp1257", "WINDOWS-1257"},
    {"cp1258", "WINDOWS-1258"},
    {"latin2", "ISO-8859-2"},
    {"latin9", "ISO-8859-15"},
    {"latin-9", "ISO-8859-15"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"iso-8859-6-i", "ISO-8859-6"},
    {"koi8r", "KOI8-R"},
    {"koi8-ru", "KOI8-U"},
    {"mac", "MACINTOSH"},
    {"x-mac-roman", "MACINTOSH"},
    {"ibm437", "CP437"},
    {"ibm850", "CP850"},
    {"ibm852", "CP852"},
    {"ibm866", "CP866"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"x-sjis", "CP932"},
    {"ms_kanji", "CP932"},
    {"windows-31j", "CP932"},
    {"cp932", "CP932"},
    {"euc-jp", "EUC-JP-MS"},
    {"x-euc-jp", "EUC-JP-MS"},
    {"iso-2022-jp", "ISO-2022-JP-3"},
    {"iso-2022-jp-1", "ISO-2022-JP-3"},
    {"iso-2022-jp-2", "ISO-2022-JP-3"},
    {"iso-2022-jp-ms", "ISO-2022-JP-3"},
    {"cp50220", "ISO-2022-JP-3"},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"ks_c_5601", "CP949"},
    {"uhc", "CP949"},
    {"windows-949", "CP949"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"euc-cn", "GB18030"},
    {"cp936", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"cp950", "BIG5-HKSCS"},
    {"x-x-big5", "BIG5-HKSCS"},
}};

constexpr std::string_view replacement = "\xef\xbf\xbd";

bool is_utf8_label(std::string_view label) {
  return label == "utf-8" || label == "utf8" || label == "unicode-1-1-utf-8" || label == "utf-8-sig";
}
bool is_ascii_label(std::string_view label) {
  return label.empty() || label == "us-ascii" || label == "ascii" || label == "ansi_x3.4-1968" || label == "7bit";
}

std::string cleaned(std::string_view label) {
  label = trimmed(label);
  while (!label.empty() && (label.front() == '"' || label.front() == '\'')) label.remove_prefix(1);
  label = label.substr(0, label.find_first_of("\"' ;("));
  return to_lower_ascii(label);
}

bool is_ascii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

Charsets::Charsets() {
  for (const Known& one : known) {
    const iconv_t descriptor = iconv_open("UTF-8", std::string{one.name}.c_str());
    if (descriptor != reinterpret_cast<iconv_t>(-1)) open_.push_back({one.name, descriptor, one.is_one_byte});
  }
  // The module is loaded with the first conversion at the latest: use each one now, while files can be opened.
  for (const Open& one : open_) converted(one, "a");
}

Charsets::~Charsets() {
  for (const Open& one : open_) iconv_close(one.descriptor);
}

const Charsets::Open* Charsets::find(std::string_view label) const {
  std::string_view name = label;
  for (const Alias& alias : aliases) {
    if (alias.label == label) name = alias.name;
  }
  const std::string lower = to_lower_ascii(name);
  const auto found =
      std::find_if(open_.begin(), open_.end(), [&](const Open& one) { return to_lower_ascii(one.name) == lower; });
  return found == open_.end() ? nullptr : &*found;
}

bool Charsets::knows(std::string_view label) const {
  const std::string name = cleaned(label);
  return is_ascii_label(name) || is_utf8_label(name) || find(name) != nullptr;
}

std::string Charsets::converted(const Open& charset, std::string_view bytes) {
  std::string out(bytes.size() + bytes.size() / 2 + 16, '\0');
  std::size_t used = 0;
  auto* from = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  iconv(charset.descriptor, nullptr, nullptr, nullptr, nullptr);
  const auto grow = [&](std::size_t more) {
    if (out.size() - used < more) out.resize(out.size() * 2 + more);
  };
  bool is_flushing = left == 0;
  while (true) {
    char* to = out.data() + used;
    std::size_t room = out.size() - used;
    const std::size_t result = is_flushing ? iconv(charset.descriptor, nullptr, nullptr, &to, &room)
                                           : iconv(charset.descriptor, &from, &left, &to, &room);
    used = static_cast<std::size_t>(to - out.data());
    if (result != static_cast<std::size_t>(-1)) {
      if (is_flushing) break;
      is_flushing = true;
    } else if (errno == E2BIG) {
      grow(out.size());
    } else if (!is_flushing && left > 0) {  // EILSEQ, or EINVAL at the end
      grow(replacement.size());
      replacement.copy(out.data() + used, replacement.size());
      used += replacement.size();
      ++from;
      --left;
      if (left == 0) is_flushing = true;
    } else {
      break;
    }
  }
  out.resize(used);
  if (out.substr(0, 3) == "\xef\xbb\xbf") out.erase(0, 3);
  return is_valid_utf8(out) ? out : to_valid_utf8(out);
}

std::string Charsets::to_utf8(std::string_view bytes, std::string_view raw_label) const {
  const std::string label = cleaned(raw_label);
  if (bytes.substr(0, 3) == "\xef\xbb\xbf") bytes.remove_prefix(3);
  const bool has_escapes =
      bytes.find("\x1b$") != std::string_view::npos || bytes.find("\x1b(J") != std::string_view::npos;
  const Open* named = is_ascii_label(label) || is_utf8_label(label) ? nullptr : find(label);
  if (named == nullptr || named->is_one_byte) {
    if (is_ascii(bytes) && !has_escapes) return std::string{bytes};
    if (!is_ascii(bytes) && is_valid_utf8(bytes)) return std::string{bytes};
  }
  if (named != nullptr) return converted(*named, bytes);
  if (has_escapes && is_ascii(bytes)) return converted(*find("iso-2022-jp"), bytes);
  if (is_utf8_label(label)) {  // damaged, or not UTF-8 at all: the one with fewer lost characters
    std::string damaged = to_valid_utf8(bytes);
    std::size_t lost = 0;
    for (auto at = damaged.find(replacement); at != std::string::npos; at = damaged.find(replacement, at + 3)) ++lost;
    const auto high = static_cast<std::size_t>(
        std::count_if(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }));
    if (lost * 2 < high) return damaged;
  }
  return converted(*find("windows-1252"), bytes);
}

}  // namespace postroom::mail_sandbox
