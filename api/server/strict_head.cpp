#include "api/server/strict_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postroom::api {

namespace {

constexpr bool is_token_byte(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

constexpr std::array<bool, 256> token_bytes = [] {
  std::array<bool, 256> table{};
  for (int c = 1; c < 128; ++c) table[static_cast<std::size_t>(c)] = is_token_byte(static_cast<char>(c));
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return token_bytes[static_cast<unsigned char>(c)]; });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `lower` is in lower case already.
bool equals(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) { return to_lower(a) == b; });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Field values: visible bytes, blanks, tabs and bytes above 0x7f (RFC 9110, 5.5).
bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\t'; });
}

bool is_host(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, allowed);
}

class Reading {
 public:
  Head head;
  std::optional<HeadRefusal> refusal;

  bool refuse(int status, std::string detail) {
    if (!refusal) refusal = HeadRefusal{status, std::move(detail)};
    return false;
  }

  bool request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || line.find(' ', first + 1) != last) {
      return refuse(400, "the request line must be METHOD TARGET HTTP/1.1 with single blanks");
    }
    head.method = line.substr(0, first);
    if (!is_token(head.method) || head.method.size() > 32) return refuse(400, "the method is not a token");
    return version(line.substr(last + 1)) && target(line.substr(first + 1, last - first - 1));
  }

  bool field(std::string_view line) {
    if (line.empty()) return refuse(400, "a blank line stands inside the head");
    if (line.front() == ' ' || line.front() == '\t') return refuse(400, "folded header lines are not accepted");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return refuse(400, "a header line has no colon");
    const auto name = line.substr(0, colon);
    if (!is_token(name)) return refuse(400, "a header's name is not a token directly followed by a colon");
    const auto value = without_blanks(line.substr(colon + 1));
    if (!is_field_value(value)) return refuse(400, fmt::format("the header {} contains control bytes", name));
    if (++fields_ > most_fields) return refuse(431, fmt::format("more than {} header lines", most_fields));
    return known(name, value);
  }

  bool end() {
    if (!has_host_) return refuse(400, "the Host header is missing");
    if (head.chunked && head.content_length) return refuse(400, "Transfer-Encoding and Content-Length exclude each other");
    if (head.chunked && head.minor_version == 0) return refuse(400, "Transfer-Encoding needs HTTP/1.1");
    head.field_count = fields_;
    head.keep_alive = close_asked_ ? false : head.minor_version == 1 || keep_asked_;
    return true;
  }

 private:
  bool version(std::string_view text) {
    if (text == "HTTP/1.1") return true;
    if (text == "HTTP/1.0") {
      head.minor_version = 0;
      return true;
    }
    const bool is_other_major = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[5] != '1' && text[6] == '.' && is_digit(text[7]);
    return refuse(is_other_major ? 505 : 400, "the version must be HTTP/1.1 or HTTP/1.0");
  }

  bool target(std::string_view text) {
    if (text.size() > longest_target) return refuse(414, fmt::format("the target is longer than {} bytes", longest_target));
    if (text.empty() || text.front() != '/') return refuse(400, "the target must begin with a slash");
    if (std::ranges::any_of(text, [](char c) { return c <= 0x20 || c == 0x7f || c == '#'; })) {  // char is signed: 8-bit bytes too
      return refuse(400, "the target contains bytes that must be percent-encoded");
    }
    const auto mark = text.find('?');
    head.path = text.substr(0, mark);
    head.query = mark == std::string_view::npos ? std::string_view{} : text.substr(mark + 1);
    return true;
  }

  bool known(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 4:
        if (equals(name, "host")) {
          if (!is_host(value)) return refuse(400, "the Host header does not name a host");
          return once(has_host_, "Host", head.host, value);
        }
        break;
      case 6:
        if (equals(name, "expect")) return expect(value);
        if (equals(name, "prefer") && head.prefer.empty()) head.prefer = value;  // a hint: a second one may be ignored
        break;
      case 8:
        if (equals(name, "if-match")) return once(has_if_match_, "If-Match", head.if_match, value);
        break;
      case 10:
        if (equals(name, "connection")) return connection(value);
        break;
      case 11:
        if (equals(name, "traceparent")) head.traceparent = value;
        break;
      case 12:
        if (equals(name, "content-type")) return once(has_content_type_, "Content-Type", head.content_type, value);
        break;
      case 13:
        if (equals(name, "authorization")) return once(has_authorization_, "Authorization", head.authorization, value);
        break;
      case 14:
        if (equals(name, "content-length")) return content_length(value);
        break;
      case 15:
        if (equals(name, "idempotency-key")) return once(head.has_idempotency_key, "Idempotency-Key", head.idempotency_key, value);
        break;
      case 16:
        if (equals(name, "content-encoding")) head.content_encoding = value;
        break;
      case 17:
        if (equals(name, "transfer-encoding")) return transfer_encoding(value);
        break;
      default:
        break;
    }
    return true;
  }

  bool once(bool& seen, std::string_view name, std::string_view& into, std::string_view value) {
    if (seen) return refuse(400, fmt::format("the header {} is given twice", name));
    seen = true;
    into = value;
    return true;
  }

  bool content_length(std::string_view value) {
    if (head.content_length) return refuse(400, "the header Content-Length is given twice");
    if (value.empty() || value.size() > 18 || !std::ranges::all_of(value, is_digit)) {
      return refuse(400, "Content-Length must be digits only");
    }
    std::uint64_t length = 0;
    for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    head.content_length = length;
    return true;
  }

  bool transfer_encoding(std::string_view value) {
    if (head.chunked) return refuse(400, "the header Transfer-Encoding is given twice");
    if (!equals(value, "chunked")) return refuse(400, "Transfer-Encoding must be exactly chunked");
    head.chunked = true;
    return true;
  }

  bool expect(std::string_view value) {
    if (!equals(value, "100-continue")) return refuse(417, "the only expectation that can be met is 100-continue");
    head.expects_continue = head.minor_version == 1;
    return true;
  }

  bool connection(std::string_view value) {
    while (!value.empty()) {
      const auto comma = value.find(',');
      const auto option = without_blanks(value.substr(0, comma));
      close_asked_ = close_asked_ || equals(option, "close");
      keep_asked_ = keep_asked_ || equals(option, "keep-alive");
      value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    }
    return true;
  }

  std::size_t fields_ = 0;
  bool has_host_ = false, has_if_match_ = false, has_content_type_ = false, has_authorization_ = false;
  bool close_asked_ = false, keep_asked_ = false;
};

}  // namespace

HeadEnd find_head_end(std::string_view bytes, std::size_t from) {
  // One byte back, so that a CR at the end of the last look meets its LF.
  for (auto at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return HeadEnd{.refusal = HeadRefusal{400, "a line ends without a carriage return"}};
    if (at == 1) return HeadEnd{.refusal = HeadRefusal{400, "a blank line stands before the request line"}};
    if (at >= longest_head) break;
    if (at >= 3 && bytes[at - 2] == '\n') return HeadEnd{.at = at + 1};
  }
  if (bytes.size() < longest_head) return HeadEnd{};
  const auto line = bytes.find('\n');
  if (line == std::string_view::npos) return HeadEnd{.refusal = HeadRefusal{414, "the request line is too long"}};
  return HeadEnd{.refusal = HeadRefusal{431, fmt::format("the head is longer than {} bytes", longest_head)}};
}

std::variant<Head, HeadRefusal> read_head(std::string_view bytes) {
  Reading reading;
  bool is_first = true;
  while (bytes.size() > 2) {
    const auto end = bytes.find("\r\n");
    if (end == std::string_view::npos) return HeadRefusal{400, "a line has no end"};
    const auto line = bytes.substr(0, end);
    if (line.find('\r') != std::string_view::npos) return HeadRefusal{400, "a carriage return stands alone"};
    const bool fine = is_first ? reading.request_line(line) : reading.field(line);
    if (!fine) return *reading.refusal;
    is_first = false;
    bytes.remove_prefix(end + 2);
  }
  if (bytes != "\r\n" || is_first) return HeadRefusal{400, "the head does not end with a blank line"};
  if (!reading.end()) return *reading.refusal;
  return reading.head;
}

}  // namespace postroom::api
