#include <fmt/format.h>

#include "common/mail/address.hpp"
#include "workers/notifier/conversation/request.hpp"
#include "workers/notifier/conversation/talks.hpp"
#include "workers/notifier/conversation/verdict.hpp"

namespace postroom::notifier {

using messages::TestCheck;
using smtp::Failure;
using smtp::Stage;
using worker::TestStep;

namespace {

enum class Part { reach, certificate, login, sender };

// Which of the checks a failure belongs to.
Part part_of(const smtp::Reply& reply) {
  switch (reply.failure) {
    case Failure::no_tls:
    case Failure::tls:
    case Failure::tls_certificate: return Part::certificate;
    case Failure::no_login: return Part::login;
    case Failure::no_utf8: return Part::sender;
    default: break;
  }
  switch (reply.stage) {
    case Stage::connecting:
    case Stage::greeting:
    case Stage::hello: return Part::reach;
    case Stage::starttls: return Part::certificate;
    case Stage::login: return Part::login;
    default: return Part::sender;
  }
}

std::string advice_for(const smtp::Reply& reply) {
  if (reply.failure == Failure::rejected && reply.stage == Stage::login && reply.code >= 500) {
    return "; check user name and password (many providers want a password made for this purpose)";
  }
  if (reply.failure == Failure::tls) return "; smtps:// is TLS from the first byte (port 465), smtp:// begins in the clear and changes to it (port 587)";
  return "";
}

std::string as_words(const smtp::Reply& reply, bool has_account) {
  if (!has_account) return "the connection has no account: mails are handed over without a login";
  if (!reply.offers_login && !reply.has_logged_in) return "the server asks for no login; the account is not used";
  return "";
}

}  // namespace

TestTalk::TestTalk(messages::NotifierTest test, std::string secret) : test_(std::move(test)), secret_(std::move(secret)) {}

TestStep TestTalk::begin() {
  worker::SmtpAsk ask;
  ask.request = request_to(test_.site, secret_, mail::is_addr_spec(test_.site.account) ? test_.site.account : "");
  return ask;
}

TestStep TestTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<smtp::Reply>(answer);
  const bool has_failed = reply.failure != Failure::none;
  const Part failed = has_failed ? part_of(reply) : Part::sender;
  const bool has_sender = mail::is_addr_spec(test_.site.account);
  std::vector<TestCheck> checks;
  const auto pass = [&](Part part, std::string name, std::string detail) {
    if (!has_failed || part < failed) checks.push_back({std::move(name), true, std::move(detail)});
  };
  pass(Part::reach, "reach", reply.remote_address);
  pass(Part::certificate, "certificate", reply.is_encrypted ? "" : "not encrypted: the server offers no TLS, and its address is listed in outbound.allow");
  pass(Part::login, "log in", as_words(reply, !test_.site.account.empty()));
  if (has_sender) pass(Part::sender, "sender", test_.site.account);
  if (!has_failed) return worker::Tested{std::move(checks), "the server can be reached and takes mails from us"};

  static constexpr const char* names[] = {"reach", "certificate", "log in", "sender"};
  const std::string detail = words_for(reply) + advice_for(reply);
  checks.push_back({names[static_cast<int>(failed)], false, detail});
  return worker::Tested{std::move(checks), detail, reason_class_of(reply)};
}

}  // namespace postroom::notifier
