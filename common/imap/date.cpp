#include "common/imap/date.hpp"

#include <array>
#include <string>

#include "common/base/text.hpp"
#include "common/imap/uid_set.hpp"

namespace postroom::imap {

namespace {

constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};

std::optional<unsigned> month_number(std::string_view name) {
  const std::string lower = to_lower_ascii(name);
  for (unsigned i = 0; i < months.size(); ++i) {
    if (months[i] == lower) return i + 1;
  }
  return std::nullopt;
}

}  // namespace

std::optional<WallTime> parse_internal_date(std::string_view text) {
  using namespace std::chrono;
  std::string padded{text};
  if (padded.size() == 25) padded.insert(0, 1, ' ');  // some servers do not pad the day
  if (padded.size() != 26) return std::nullopt;
  if (padded[0] == ' ') padded[0] = '0';
  const std::string_view all = padded;
  const auto number = [&](std::size_t at, std::size_t length, unsigned highest) -> std::optional<int> {
    const auto value = parse_number(all.substr(at, length), highest);
    if (!value) return std::nullopt;
    return static_cast<int>(*value);
  };
  const auto punctuation = [&](std::size_t at, char c) { return all[at] == c; };
  if (!punctuation(2, '-') || !punctuation(6, '-') || !punctuation(11, ' ') || !punctuation(14, ':') ||
      !punctuation(17, ':') || !punctuation(20, ' ') || !(punctuation(21, '+') || punctuation(21, '-'))) {
    return std::nullopt;
  }
  const auto day_number = number(0, 2, 31), year_number = number(7, 4, 9999), hour = number(12, 2, 23);
  const auto minute = number(15, 2, 59), second = number(18, 2, 60), zone_hour = number(22, 2, 23),
             zone_minute = number(24, 2, 59);
  const auto named_month = month_number(all.substr(3, 3));
  if (!day_number || !named_month || !year_number || !hour || !minute || !second || !zone_hour || !zone_minute)
    return std::nullopt;
  const year_month_day date{year{*year_number}, month{*named_month}, day{static_cast<unsigned>(*day_number)}};
  if (!date.ok()) return std::nullopt;
  const auto local = sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second};
  const auto zone = hours{*zone_hour} + minutes{*zone_minute};
  return WallTime{all[21] == '+' ? local - zone : local + zone};
}

}  // namespace postroom::imap
