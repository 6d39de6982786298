#pragma once
// What can be said of a mail that no parser could read: who wrote it, about what, whether a machine did. From its first
// bytes alone, by the rules of this folder, so that a mail which breaks the sandbox need not go there again.

#include <string>
#include <string_view>

#include "common/mail/auto_mail.hpp"
#include "common/mail/message.hpp"

namespace postroom::mail {

constexpr std::size_t crude_header_bytes = 64 * 1024;  // of the mail that are looked at

struct CrudeHeader {
  std::string subject;  // at most 1,000 bytes; words in other charsets than Unicode and Latin-1 stay unread
  Address sender;       // empty `addr`: none that could be written to
  AutoMail auto_mail;

  bool is_empty() const { return subject.empty() && sender.addr.empty() && sender.name.empty(); }
};

// Linear in the first `crude_header_bytes` of `mail`; the rest is not looked at. Empty when there is no header.
CrudeHeader crude_header(std::string_view mail, const OwnMarks& own);

}  // namespace postroom::mail
