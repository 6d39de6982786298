#include <fmt/format.h>

#include "workers/notifier/conversation/request.hpp"
#include "workers/notifier/conversation/talks.hpp"
#include "workers/notifier/conversation/verdict.hpp"

namespace postroom::notifier {

using messages::ReasonClass;
using worker::Step;

MailTalk::MailTalk(messages::Grant grant, std::string secret, mail::Hmac hmac)
    : grant_(std::move(grant)), secret_(std::move(secret)), hmac_(std::move(hmac)) {}

Step MailTalk::begin() {
  auto mail = compose(grant_, hmac_);
  if (!mail) {
    const bool is_recipient = mail.error().code() == Code::not_found;
    return worker::Refuse{{is_recipient ? ReasonClass::recipient_refused : ReasonClass::invalid_data, mail.error().text(), {}, {}}};
  }
  message_id_ = mail->message_id;
  worker::SmtpAsk ask;
  ask.request = request_to(grant_.site, secret_, mail->sender);
  ask.request.recipients = {mail->recipient};
  ask.request.content = std::move(mail->content);
  return ask;
}

Step MailTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<smtp::Reply>(answer);
  if (reply.failure != smtp::Failure::none) return verdict_on(reply);
  worker::Done done;
  done.remote = {message_id_, fmt::format("#{}", grant_.ticket.number), grant_.ticket.url, {}};
  done.note = fmt::format("{} {}", reply.code, reply.text);  // often the server's own number for it
  return done;
}

}  // namespace postroom::notifier
