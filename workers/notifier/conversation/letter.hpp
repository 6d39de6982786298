#pragma once
// What a mail about a ticket says, by its kind: one list of paragraphs, rendered as plain text and as HTML, so that both say the same.

#include <string>
#include <vector>

#include "common/messages/work.hpp"

namespace postroom::notifier {

// Above it people answer; common/mail's reply_text knows it.
constexpr std::string_view reply_mark = "##- Reply above this line -##";

struct Letter {
  std::string subject;                  // "[#12] Re: Printer on fire"
  std::vector<std::string> paragraphs;  // LF line ends, no control characters
  std::vector<std::string> footer;      // lines
};

// A confirmation goes to an address that nobody has checked: it repeats nothing of what the sender wrote but the title, in the subject, so that
// the desk cannot be made to carry a stranger's words to others.
Letter letter_about(const messages::TicketCard& ticket, const messages::MailNotice& notice);

std::string as_plain_text(const Letter& letter);  // LF line ends
std::string as_html(const Letter& letter);

}  // namespace postroom::notifier
