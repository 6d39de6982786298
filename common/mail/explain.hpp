#pragma once
// `postroom mail explain`: what Postroom makes of one mail, as one JSON object or as text for people.

#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/mail/decide.hpp"

namespace postroom::mail {

struct ExplainContext {
  Home home;
  RoutedInbox inbox;
  std::function<RoutedInbox(const Message&)> inbox_of;  // when it is not the same for all mails; then `inbox` does not count
  std::vector<RoutedBoard> boards;
  std::string default_board_id;
  // What is known about the mail; absent without a database: then a verified signed id counts as a thread, and a report
  // about delivery as one about a mail of ours.
  std::function<Known(const Message&, const Analysis&)> known;
};

struct Explanation {
  std::string file;
  Message message;  // empty when unparsable
  Analysis analysis;
  Route route;
  Decision decision;
};

// `parsed`: what the sandbox answered; its error makes the verdict `unparsable`, with the error's text as why.
Explanation explain(std::string_view file, Result<Message> parsed, const ExplainContext& context);

// One line, members in this order: file, subject, from, to, date, message_id, in_reply_to, references, body_text,
// reply_text, attachments, auto, auto_reason, bounce, list, verdict, board, why. What is missing is null (from, date,
// message_id, in_reply_to, auto_reason, bounce, board) or empty. A bounce is {recipient, status, action,
// reason}. Addresses are bare, ids without angle brackets, the date is RFC 3339 in UTC.
std::string to_json(const Explanation& explanation);

std::string to_text(const Explanation& explanation);  // some lines, for a terminal: control bytes replaced

}  // namespace postroom::mail
