#pragma once
// From what the sandbox read and common/mail makes of it to the message that goes to the ledger. Pure.

#include <string>
#include <vector>

#include "common/blob/store.hpp"
#include "common/mail/decide.hpp"
#include "common/messages/mail.hpp"

namespace postroom::mail_router {

constexpr std::size_t longest_body = (1 << 20) - 1;  // of a message, in bytes of JSON

// `blobs`: of the mail's attachments, in their order. What is too long for a message is cut, and a note says so: the raw mail
// stays whole.
messages::ParsedMail parsed_mail(const mail::Message& message, const mail::Analysis& analysis, const std::vector<blob::Ref>& blobs);

// The message as JSON, never longer than longest_body.
std::string encoded(messages::MailParsed parsed);

}  // namespace postroom::mail_router
