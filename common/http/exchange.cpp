#include "common/http/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/text.hpp"

namespace postroom::http {

std::string_view name_of(Failure failure) {
  switch (failure) {
    case Failure::none: return "none";
    case Failure::refused_request: return "refused_request";
    case Failure::dns: return "dns";
    case Failure::connect: return "connect";
    case Failure::blocked_address: return "blocked_address";
    case Failure::tls_certificate: return "tls_certificate";
    case Failure::tls: return "tls";
    case Failure::too_late: return "too_late";
    case Failure::timeout: return "timeout";
    case Failure::too_large: return "too_large";
    case Failure::reset_before_send: return "reset_before_send";
    case Failure::reset_after_send: return "reset_after_send";
    case Failure::protocol: return "protocol";
    case Failure::cancelled: return "cancelled";
  }
  return "none";
}

std::string_view Reply::header(std::string_view name) const {
  const std::string wanted = to_lower_ascii(name);
  for (const auto& one : headers) {
    if (one.name.size() == wanted.size() && to_lower_ascii(one.name) == wanted) return one.value;
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                               c == '_' || c == '~';
    if (is_unreserved) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

namespace {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const auto day = whole_number<unsigned>(text.substr(5, 2));
  const auto year = whole_number<int>(text.substr(12, 4));
  const auto hour = whole_number<int>(text.substr(17, 2)), minute = whole_number<int>(text.substr(20, 2)),
             second = whole_number<int>(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
                                         std::chrono::day{*day}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return WallTime{std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second}};
}

std::optional<std::chrono::milliseconds> wait_until(std::string_view text, WallTime now) {
  using std::chrono::milliseconds;
  text = trimmed(text);
  if (const auto seconds = whole_number<std::int64_t>(text)) {
    // More than a year of seconds is as good as a year; the caller clamps far lower.
    return milliseconds{std::clamp<std::int64_t>(*seconds, 0, 31'536'000) * 1000};
  }
  auto then = parse_http_date(text);
  if (!then) {
    // Jira writes minutes only: 2024-10-08T15:00Z.
    const std::string full = text.size() == 17 && text.back() == 'Z' ? std::string{text.substr(0, 16)} + ":00Z" : std::string{text};
    if (const auto parsed = from_rfc3339(full)) then = *parsed;
  }
  if (!then) return std::nullopt;
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(*then - now));
}

}  // namespace postroom::http
