#pragma once
// The strict reading of an HTTP/1.1 request head, on the raw bytes, before Beast sees them. Beast 1.81 takes `Transfer-Encoding: gzip`
// with a Content-Length, two Hosts, none, folded lines and more; what two parsers read differently smuggles requests past one of them.
// Rules: RFC 9112 and RFC 9110, without what they allow for old times' sake.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace postroom::api {

constexpr std::size_t longest_head = 16 * 1024;   // bytes, request line and all fields
constexpr std::size_t most_fields = 100;
constexpr std::size_t longest_target = 8 * 1024;  // bytes

// Views into the head's bytes.
struct Head {
  std::string_view method;
  std::string_view path;   // of the target, before '?'
  std::string_view query;  // after '?'
  int minor_version = 1;   // of HTTP/1.x: 0 or 1
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  bool expects_continue = false;
  // Single-valued fields; empty when absent.
  std::string_view host;
  std::string_view authorization;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view idempotency_key;
  std::string_view if_match;
  std::string_view prefer;
  std::string_view traceparent;
  bool has_idempotency_key = false;
  std::size_t field_count = 0;
};

// Why the connection ends after this answer.
struct HeadRefusal {
  int status = 400;  // 400, 414, 417, 431 or 505
  std::string detail;
};

// Where the head at the start of `bytes` ends (one past its blank line); npos while it is not all there. A line that ends without CR is
// refused at once, not after the deadline. `from`: how far the last look got.
struct HeadEnd {
  std::size_t at = std::string_view::npos;
  std::optional<HeadRefusal> refusal;
};
HeadEnd find_head_end(std::string_view bytes, std::size_t from = 0);

// `bytes`: one head with its blank line, as find_head_end found it.
std::variant<Head, HeadRefusal> read_head(std::string_view bytes);

}  // namespace postroom::api
