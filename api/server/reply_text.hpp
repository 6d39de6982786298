#pragma once
// A Reply as the bytes of an HTTP/1.1 answer. The one place that writes headers: Beast's fields let CR and LF through (a value from a
// caller could add headers), set_header does not.

#include <string>
#include <string_view>

#include "api/http.hpp"

namespace postroom::api {

// Appends "Name: value\r\n". False, and nothing appended, when the name is not a token or the value has control bytes.
bool set_header(std::string& out, std::string_view name, std::string_view value);

struct ReplyForm {
  bool keep_alive = true;
  bool is_http_1_0 = false;
  bool is_head = false;  // the answer to HEAD: as to GET, without the body
  std::string_view date;  // "Fri, 20 Nov 2026 10:00:00 GMT"
};

// `out` is replaced. Of an answer with a file: the head alone. A header that set_header refuses is left out and counted (metric reply_headers_refused).
void write_reply(std::string& out, const Reply& reply, const ReplyForm& form);

std::string http_date(WallTime now);
std::string_view http_date_now(WallTime now);  // the same, made once a second; valid until the next call of this thread

}  // namespace postroom::api
