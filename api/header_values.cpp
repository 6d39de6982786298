#include "api/header_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.hpp"

namespace postroom::api {

namespace {

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// The whole text as a number; none for anything else, a sign or an overflow included.
std::optional<std::int64_t> whole_number(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<void> check_idempotency_key(std::string_view value) {
  const bool is_visible = std::ranges::all_of(value, [](char c) { return c >= 0x21 && c <= 0x7e; });
  if (!value.empty() && value.size() <= longest_idempotency_key && is_visible) return {};
  return Error{Code::bad_message, fmt::format("must be 1 to {} visible ASCII characters", longest_idempotency_key), "Idempotency-Key"};
}

std::optional<std::chrono::seconds> wait_preferred(std::string_view prefer) {
  if (prefer.empty()) return std::nullopt;
  std::optional<std::chrono::seconds> wait;
  for (const auto part : split(prefer, ',')) {
    const std::string preference = to_lower_ascii(trimmed(part.substr(0, part.find(';'))));
    if (preference == "respond-async") return std::chrono::seconds{0};
    const auto equals = preference.find('=');
    if (equals == std::string::npos || trimmed(std::string_view{preference}.substr(0, equals)) != "wait") continue;
    auto text = trimmed(std::string_view{preference}.substr(equals + 1));
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    const auto seconds = whole_number(text);
    if (seconds && !wait) wait = std::min(longest_wait, std::chrono::seconds{*seconds});
  }
  return wait;
}

Result<std::optional<std::int64_t>> version_expected(std::string_view if_match) {
  if (if_match.empty() || if_match == "*") return std::optional<std::int64_t>{};
  if (if_match.size() >= 4 && if_match.starts_with("\"v") && if_match.ends_with('"')) {
    if (const auto version = whole_number(if_match.substr(2, if_match.size() - 3))) return std::optional{*version};
  }
  return Error{Code::bad_message, "must be one entity tag as this API gives them, like \"v17\" with its quotes, or *", "If-Match"};
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size() || to_lower_ascii(authorization.substr(0, scheme.size())) != scheme) return std::nullopt;
  return trimmed(authorization.substr(scheme.size()));
}

bool is_json_type(std::string_view content_type) {
  if (content_type == "application/json") return true;
  const std::string lower = to_lower_ascii(content_type);
  const auto semicolon = lower.find(';');
  if (trimmed(std::string_view{lower}.substr(0, semicolon)) != "application/json") return false;
  if (semicolon == std::string::npos) return true;
  const auto parameter = trimmed(std::string_view{lower}.substr(semicolon + 1));
  return parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
}

std::string_view valid_traceparent(std::string_view value) {
  const bool has_form = value.size() == 55 && value.starts_with("00-") && value[35] == '-' && value[52] == '-' &&
                        is_lower_hex(value.substr(3, 32)) && is_lower_hex(value.substr(36, 16)) && is_lower_hex(value.substr(53));
  return has_form ? value : std::string_view{};
}

}  // namespace postroom::api
