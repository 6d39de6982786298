#pragma once
// What may be handed to the network: judged before libcurl sees anything, because it writes what it is given.

#include "common/base/result.hpp"
#include "common/smtp/exchange.hpp"

namespace postroom::smtp {

struct Server {
  bool is_tls = false;  // from the first byte on
  std::string host;     // a name, or a literal in its brackets
  int port = 0;
};

// smtps://host[:465] or smtp://host[:587]; no user, no path but "/", no query. bad_message says what is wrong.
Result<Server> parse_server(std::string_view url);

// May stand between angle brackets on the wire as it is: one "@" at least, no control bytes, blanks, brackets, quotes or backslashes.
bool is_safe_address(std::string_view address);

// Refuses control bytes wherever a line is made from them, unsafe addresses, and content that a server could read as two mails: a bare CR or LF,
// NUL, lines longer than 998 bytes (RFC 5321 4.5.3.1.6), a last line without its end.
Result<void> check(const Request& request);

}  // namespace postroom::smtp
