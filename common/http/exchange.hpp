#pragma once
// One HTTP exchange as plain values, and the port that performs it. No curl here: conversations and their tests use these structs alone.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"

namespace postroom::http {

struct Header {
  std::string name;
  std::string value;
};

struct BasicAuth {
  std::string user;  // without a colon
  std::string password;
};

struct Request {
  std::string method = "GET";
  std::string url;  // https://…; plain http only to addresses of the allow list. No user name in it.
  std::vector<Header> headers;
  std::optional<BasicAuth> basic_auth;
  std::string body;
  // False: sent at most once. It gets a fresh connection that is closed afterwards, because libcurl re-sends a request when a kept-alive
  // connection dies under it.
  bool is_repeatable = true;
  std::chrono::milliseconds timeout{30'000};  // the whole exchange, from look-up to last byte; progress does not extend it
  std::optional<SteadyTime> first_byte_by;    // later than this nothing is sent (a process that was stopped, a slow handshake)
  std::size_t reply_limit = 8 << 20;          // bytes of a body; more ends the exchange
};

enum class Failure {
  none,
  refused_request,    // ours: control bytes, wrong scheme, wrong method
  dns,                // the name does not resolve
  connect,            // no connection to any of its addresses
  blocked_address,    // every address is private or reserved and not in the allow list
  tls_certificate,    // not trusted, expired, wrong host: `detail` says which
  tls,                // the handshake failed for another reason
  too_late,           // first_byte_by had passed
  timeout,            // look at was_sent
  too_large,          // body or head above the limit
  reset_before_send,  // the connection broke before a byte of the request left
  reset_after_send,   // it broke later, or the body ended early
  protocol,           // not HTTP
  cancelled,          // by cancel()
};

std::string_view name_of(Failure failure);

struct Reply {
  Failure failure = Failure::none;
  bool was_sent = false;  // false is certain: not one byte of the request left this process
  int status = 0;         // 0 = no status line came
  std::vector<Header> headers;
  std::string body;  // as it came: no content coding is asked for, and none is undone
  std::string remote_address;
  std::string detail;  // of a failure, for a person; contains no secrets
  std::int64_t bytes_sent = 0;
  std::chrono::milliseconds took{0};
  WallTime received_at{};

  // The first header of that name (case-insensitive), or empty.
  std::string_view header(std::string_view name) const;
};

using ExchangeId = std::uint64_t;

// Thread: the owner's, for every method and callback.
class Http {
 public:
  virtual ~Http() = default;
  // `done` is called exactly once, never from inside send(); not at all when the port is destroyed first.
  virtual ExchangeId send(Request request, std::function<void(Reply)> done) = 0;
  // Has a byte of the request possibly left? False for exchanges that ended.
  virtual bool has_left(ExchangeId id) const = 0;
  virtual void cancel(ExchangeId id) = 0;  // `done` follows with Failure::cancelled; nothing when it has ended
};

// RFC 3986 2.1: everything but unreserved characters becomes %XX.
std::string percent_encoded(std::string_view text);

// Seconds-or-date of Retry-After (RFC 9110 10.2.3), or an RFC 3339 time (X-RateLimit-Reset of Jira), seen from `now`. Empty when it is neither;
// negative waits become 0.
std::optional<std::chrono::milliseconds> wait_until(std::string_view text, WallTime now);

// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace postroom::http
