#include "workers/notifier/conversation/verdict.hpp"

#include <fmt/format.h>

namespace postroom::notifier {

using messages::ReasonClass;
using smtp::Failure;
using smtp::Stage;

namespace {

constexpr int closing = 421;           // the server goes down, whatever was asked
constexpr int login_needed = 530;      // RFC 4954 6

bool is_for_good(const smtp::Reply& reply) { return reply.code >= 500; }

// After the recipient was accepted, a no is about the mail, unless its status says otherwise (RFC 3463: 1 addressing, 2 mailbox).
bool is_about_recipient(const smtp::Reply& reply) {
  const auto status = smtp::enhanced_status(reply.text);
  return reply.stage == Stage::recipient || (status.size() > 3 && (status[2] == '1' || status[2] == '2') && status[3] == '.');
}

ReasonClass class_of_no(const smtp::Reply& reply) {
  if (reply.code == closing) return ReasonClass::server_error;
  if (is_for_good(reply) && (reply.code == login_needed || reply.stage == Stage::login)) return ReasonClass::credentials;
  switch (reply.stage) {
    case Stage::recipient: return ReasonClass::recipient_refused;
    case Stage::data:
    case Stage::content:
    case Stage::held:
    case Stage::final_dot:
      if (is_about_recipient(reply)) return ReasonClass::recipient_refused;
      return is_for_good(reply) ? ReasonClass::invalid_data : ReasonClass::server_error;
    case Stage::sender: return is_for_good(reply) ? ReasonClass::invalid_data : ReasonClass::server_error;
    case Stage::starttls: return ReasonClass::protocol;
    default: return ReasonClass::server_error;
  }
}

std::string_view what_was_refused(Stage stage) {
  switch (stage) {
    case Stage::login: return "does not accept the account with this password";
    case Stage::sender: return "does not accept the sender";
    case Stage::recipient: return "does not accept the recipient";
    case Stage::starttls: return "offers STARTTLS and refuses it";
    case Stage::data:
    case Stage::content:
    case Stage::held:
    case Stage::final_dot: return "does not accept the mail";
    default: return "does not let us in";
  }
}

}  // namespace

std::string words_for(const smtp::Reply& reply) {
  switch (reply.failure) {
    case Failure::none: return "";
    case Failure::refused_request: return fmt::format("the mail or the connection's address cannot be used: {}", reply.detail);
    case Failure::dns: return fmt::format("the host name of {} does not resolve; check the connection's address ({})", far_side, reply.detail);
    case Failure::connect: return fmt::format("no connection to {} ({})", far_side, reply.detail);
    case Failure::tls_certificate: return fmt::format("{}'s certificate is not trusted: {}", far_side, reply.detail);
    case Failure::tls: return fmt::format("no secure connection to {} ({})", far_side, reply.detail);
    case Failure::timeout:
      if (reply.is_silent) return fmt::format("no greeting from {}: is it a port where TLS begins with the first byte? then the address begins with smtps://", far_side);
      return fmt::format("{} did not answer in time ({})", far_side, name_of(reply.stage));
    case Failure::broken: return fmt::format("the connection to {} broke ({})", far_side, reply.detail);
    case Failure::protocol: return fmt::format("what answers at the connection's address does not speak SMTP as it should ({})", reply.detail);
    case Failure::rejected: return fmt::format("{} {}: {} {}", far_side, what_was_refused(reply.stage), reply.code, reply.text);
    case Failure::blocked_address:
    case Failure::no_tls:
    case Failure::no_login:
    case Failure::no_utf8:
    case Failure::too_late:
    case Failure::cancelled: return reply.detail;
  }
  return "";
}

ReasonClass reason_class_of(const smtp::Reply& reply) {
  switch (reply.failure) {
    case Failure::none: return ReasonClass::none;
    case Failure::refused_request: return ReasonClass::invalid_data;
    case Failure::dns:
    case Failure::connect:
    case Failure::tls:
    case Failure::broken: return ReasonClass::unreachable;
    case Failure::blocked_address: return ReasonClass::blocked_address;
    case Failure::tls_certificate: return ReasonClass::certificate;
    case Failure::no_login: return ReasonClass::credentials;
    case Failure::no_utf8: return ReasonClass::recipient_refused;
    case Failure::rejected: return class_of_no(reply);
    case Failure::timeout: return ReasonClass::timeout;
    case Failure::no_tls:
    case Failure::protocol: return ReasonClass::protocol;
    case Failure::too_late: return ReasonClass::none;
    case Failure::cancelled: return ReasonClass::shutdown;
  }
  return ReasonClass::none;
}

worker::Step verdict_on(const smtp::Reply& reply) {
  worker::Reason why{reason_class_of(reply), words_for(reply), {}, {}};
  if (reply.failure == Failure::rejected) why.http_status = reply.code;
  if (reply.may_have_arrived) return worker::Unknown{std::move(why)};
  switch (reply.failure) {
    case Failure::refused_request:
    case Failure::no_login:
    case Failure::no_utf8: return worker::Refuse{std::move(why)};
    // A server that turns everybody away, with whatever code, may be itself again tomorrow.
    case Failure::rejected:
      if (is_for_good(reply) && reply.stage >= Stage::login) return worker::Refuse{std::move(why)};
      return worker::Defer{std::move(why)};
    default: return worker::Defer{std::move(why)};
  }
}

}  // namespace postroom::notifier
