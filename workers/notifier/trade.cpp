#include "workers/notifier/trade.hpp"

#include "workers/notifier/conversation/talks.hpp"

namespace postroom::notifier {

worker::Trade trade(mail::Hmac hmac) {
  const auto begin = [hmac = std::move(hmac)](messages::Grant grant, std::string secret) {
    return worker::talk_of(MailTalk{std::move(grant), std::move(secret), hmac});
  };
  return {std::string{name},
          {worker::job_kind<messages::NotifyMail>(begin)},
          messages::NotifierTest::type,
          worker::test_kind<messages::NotifierTest, TestTalk>()};
}

}  // namespace postroom::notifier
