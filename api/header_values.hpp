#pragma once
// What the values of the headers that we obey mean. Pure; each error says what the header should have looked like.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/result.hpp"

namespace postroom::api {

constexpr std::size_t longest_idempotency_key = 255;  // bytes
constexpr std::chrono::seconds longest_wait{60};

// 1–255 visible ASCII characters (0x21–0x7e); a quoted string (the IETF draft's form) counts with its quotes.
Result<void> check_idempotency_key(std::string_view value);

// Prefer (RFC 7240): wait=N in seconds, cut to 0–60; respond-async is 0. None: the header says neither, or not understandably: preferences
// that cannot be understood are ignored.
std::optional<std::chrono::seconds> wait_preferred(std::string_view prefer);

// If-Match: "v17" → 17; `*` or empty → none, for any version will do.
Result<std::optional<std::int64_t>> version_expected(std::string_view if_match);

// The token of `Bearer <token>`; none when it is something else.
std::optional<std::string_view> bearer_token(std::string_view authorization);

// application/json, with no charset or utf-8.
bool is_json_type(std::string_view content_type);

// W3C trace context, version 00 form: the value itself, else empty.
std::string_view valid_traceparent(std::string_view value);

}  // namespace postroom::api
