#pragma once
// What the notifier says to a mail server: one mail, or a trial. Values without I/O. The ledger's word before the final dot is the runtime's.

#include <optional>
#include <string>
#include <vector>

#include "common/mail/threading.hpp"
#include "common/messages/connection.hpp"
#include "workers/notifier/conversation/compose.hpp"
#include "workers/runtime/step.hpp"

namespace postroom::notifier {

// compose ─▶ send, held before its dot ─▶ done | deferred | refused | unknown
class MailTalk {
 public:
  // `hmac`: with the installation's key for Message-IDs.
  MailTalk(messages::Grant grant, std::string secret, mail::Hmac hmac);
  worker::Step begin();
  worker::Step next(const worker::Answer& answer);
  std::optional<messages::Limits> limits() const { return std::nullopt; }  // SMTP announces none

 private:
  messages::Grant grant_;
  std::string secret_;
  mail::Hmac hmac_;
  std::string message_id_;
};

// reach → certificate → log in → sender, when the account is an address.
class TestTalk {
 public:
  TestTalk(messages::NotifierTest test, std::string secret);
  worker::TestStep begin();
  worker::TestStep next(const worker::Answer& answer);

 private:
  messages::NotifierTest test_;
  std::string secret_;
};

}  // namespace postroom::notifier
