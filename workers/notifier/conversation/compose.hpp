#pragma once
// The bytes of a mail about a ticket. A pure function of grant and key: every attempt of a delivery sends the same bytes under the same Message-ID.

#include <string>

#include "common/base/result.hpp"
#include "common/mail/threading.hpp"
#include "common/messages/work.hpp"

namespace postroom::notifier {

struct Mail {
  std::string message_id;  // without angle brackets
  std::string sender;      // of the envelope, bare
  std::string recipient;   // bare
  std::string content;     // header and body, CR LF
};

// not_found: the recipient's address cannot be written to. bad_message: what the ledger said makes no mail.
Result<Mail> compose(const messages::Grant& grant, const mail::Hmac& hmac);

// Of those that the conversation has: the first four and the last six (a long field is refused by some relays), sound ones only.
std::vector<std::string> shown_references(const std::vector<std::string>& references);

}  // namespace postroom::notifier
