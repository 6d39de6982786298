#include "common/base/clock.hpp"

#include <fmt/format.h>

#include <charconv>

namespace postroom {

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

std::string to_rfc3339(WallTime t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<Micros> time{t - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

namespace {

// Reads exactly `digits` digits at `at`; -1 when they are not digits.
int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

Result<WallTime> from_rfc3339(std::string_view text) {
  const Error wrong{Code::bad_message, "not a UTC time like 2026-11-20T10:00:00.000000Z"};
  if (text.size() < 20 || text.size() > 27 || text.back() != 'Z') return wrong;
  const int year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
  const int hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return wrong;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return wrong;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return wrong;
  std::int64_t fraction = 0;
  if (text.size() > 20) {
    if (text[19] != '.') return wrong;
    const std::size_t digits = text.size() - 21;
    const int value = digits == 0 ? -1 : number_at(text, 20, digits);
    if (value < 0) return wrong;
    fraction = value;
    for (std::size_t i = digits; i < 6; ++i) fraction *= 10;
  }
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + Micros{fraction};
}

}  // namespace postroom
