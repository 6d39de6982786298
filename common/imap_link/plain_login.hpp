#pragma once
// Private to common/imap_link: the LOGIN command (RFC 9051, 6.2.3) and its answer, as a value. For servers that take passwords in no
// other way: libcurl 7.88 cannot be told to use it where it finds a SASL mechanism that it prefers.

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/imap_link/link.hpp"

namespace postroom::imap_link {

class PlainLogin {
 public:
  // bad_message: user or password are too long, or contain control bytes.
  static Result<PlainLogin> with(const Account& account);

  std::string next_part();  // to be sent: first of all, and whenever on_bytes says so
  struct Heard {
    bool wants_part = false;
    std::optional<std::string> verdict;  // the server's last line: in when it says OK
    bool is_in = false;
    std::string rest;                    // what came behind it
  };
  Heard on_bytes(std::string_view bytes);

 private:
  std::deque<std::string> parts_;
  std::string unread_;
};

}  // namespace postroom::imap_link
