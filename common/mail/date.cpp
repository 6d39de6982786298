#include "common/mail/date.hpp"

#include <array>
#include <charconv>
#include <string>

#include "common/base/text.hpp"
#include "common/mail/message.hpp"

namespace postroom::mail {

namespace {

struct Fields {
  int day = 0;
  int month = 0;
  int year = -1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int zone_minutes = 0;
  bool has_time = false;
  bool has_zone = false;
};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto* end = text.data() + text.size();
  if (text.empty() || text.size() > 4 || std::from_chars(text.data(), end, value).ptr != end || value < 0)
    return std::nullopt;
  return value;
}

int month_of(std::string_view word) {
  static constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (word.size() >= 3 && equals_ignoring_case(word.substr(0, 3), months[i])) return static_cast<int>(i) + 1;
  }
  return 0;
}

bool read_time(std::string_view word, Fields& fields) {
  const auto parts = split(word, ':');
  if (parts.size() < 2 || parts.size() > 3) return false;
  const auto hour = number(parts[0]);
  const auto minute = number(parts[1]);
  const auto second = parts.size() == 3 ? number(parts[2].substr(0, parts[2].find('.'))) : std::optional<int>{0};
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return false;
  fields.hour = *hour;
  fields.minute = *minute;
  fields.second = *second;
  fields.has_time = true;
  return true;
}

// +0100, -05:30; nothing for a zone that does not exist.
bool read_offset(std::string_view word, Fields& fields) {
  std::string digits;
  for (const char c : word.substr(1)) {
    if (c != ':') digits.push_back(c);
  }
  const auto value = number(digits);
  if (!value || digits.size() != 4 || *value / 100 > 14 || *value % 100 > 59) return false;
  fields.zone_minutes = (*value / 100 * 60 + *value % 100) * (word.front() == '-' ? -1 : 1);
  fields.has_zone = true;
  return true;
}

bool read_zone_name(std::string_view word, Fields& fields) {
  struct Zone {
    std::string_view name;
    int hours;
  };
  static constexpr std::array<Zone, 17> zones = {{{"ut", 0},
                                                  {"utc", 0},
                                                  {"gmt", 0},
                                                  {"z", 0},
                                                  {"est", -5},
                                                  {"edt", -4},
                                                  {"cst", -6},
                                                  {"cdt", -5},
                                                  {"mst", -7},
                                                  {"mdt", -6},
                                                  {"pst", -8},
                                                  {"pdt", -7},
                                                  {"cet", 1},
                                                  {"cest", 2},
                                                  {"mez", 1},
                                                  {"bst", 1},
                                                  {"jst", 9}}};
  for (const Zone& zone : zones) {
    if (equals_ignoring_case(word, zone.name)) {
      fields.zone_minutes = zone.hours * 60;
      fields.has_zone = true;
      return true;
    }
  }
  return false;
}

void read_number(std::string_view word, Fields& fields) {
  const auto value = number(word);
  if (!value) return;
  if (fields.day == 0 && word.size() <= 2 && *value >= 1 && *value <= 31) {
    fields.day = *value;
  } else if (fields.year < 0 && word.size() >= 2) {
    fields.year = *value;
    if (word.size() == 2) fields.year += *value < 50 ? 2000 : 1900;  // RFC 5322, 4.3
    if (word.size() == 3) fields.year += 1900;
  }
}

std::string without_comments(std::string_view text) {
  std::string out;
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (depth == 0) out.push_back(c == ',' || c == '\t' ? ' ' : c);
    if (c == ')' && depth > 0) --depth;
  }
  return out;
}

}  // namespace

std::optional<WallTime> parse_date(std::string_view text) {
  if (text.size() > 200) return std::nullopt;
  if (auto iso = from_rfc3339(trimmed(text))) {
    const auto micros = to_micros(*iso);
    return micros >= 0 && micros < 7'258'118'400'000'000 ? std::optional{*iso} : std::nullopt;
  }
  Fields fields;
  const std::string line = without_comments(text);
  for (std::string_view word : split(line, ' ')) {
    if (word.empty()) continue;
    if (word.find(':') != std::string_view::npos && word.front() != '+' && word.front() != '-') {
      if (!read_time(word, fields)) return std::nullopt;
    } else if (fields.has_time && !fields.has_zone && (word.front() == '+' || word.front() == '-')) {
      if (!read_offset(word, fields)) return std::nullopt;
    } else if (word.front() >= '0' && word.front() <= '9') {
      for (const std::string_view part : split(word, '-')) {  // 20-Nov-2026
        if (const int month = month_of(part); month != 0) {
          fields.month = month;
        } else {
          read_number(part, fields);
        }
      }
    } else if (fields.has_time && read_zone_name(word, fields)) {
      continue;
    } else if (const int month = month_of(word); month != 0 && fields.month == 0) {
      fields.month = month;
    }
  }
  if (fields.day == 0 || fields.month == 0 || fields.year < 1970 || fields.year >= 2200 || !fields.has_time)
    return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year{fields.year},
                                        std::chrono::month{static_cast<unsigned>(fields.month)},
                                        std::chrono::day{static_cast<unsigned>(fields.day)}};
  if (!day.ok()) return std::nullopt;
  const WallTime time = std::chrono::sys_days{day} + std::chrono::hours{fields.hour} +
                        std::chrono::minutes{fields.minute - fields.zone_minutes} + std::chrono::seconds{fields.second};
  return to_micros(time) < 0 ? std::nullopt : std::optional{time};
}

}  // namespace postroom::mail
