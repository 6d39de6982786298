#include "workers/ledger/intake.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/metrics/metrics.hpp"
#include "common/store/table.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

namespace {

template <class M>
Result<Decision> handle(Books& books, const Incoming& in, Context& context) {
  auto message = codec::decode<M>(in.body);
  if (!message) return message.error();
  Needs wanted = needs(*message, in);
  if (in.envelope.retry > 0) wanted.subject_id = in.envelope.message_id;
  wanted.now = context.now;
  auto state = books.load(wanted);
  if (!state) return state.error();
  if constexpr (std::is_same_v<M, messages::WorkOutcome>) {
    metrics::counter("ledger_outcomes", {{"outcome", messages::name_of(message->outcome)}, {"reason_class", messages::name_of(message->reason_class)}}).add();
  }
  Decision decision = decide(*state, *message, in, context);
  // An arrival settles its own item; it may go back to the shelf with a good answer.
  if constexpr (!std::is_same_v<M, messages::TicketOpen> && !std::is_same_v<M, messages::MailArrived>) settle_replay(*state, in, context, decision);
  return decision;
}

struct Handler {
  std::string_view type;
  Result<Decision> (*handle)(Books&, const Incoming&, Context&);
  bool is_command;  // has an inbox row; the others are repeatable by their tokens, or by what they are about
};

template <class M>
constexpr Handler command() {
  return {M::type, &handle<M>, true};
}
template <class M>
constexpr Handler result() {
  return {M::type, &handle<M>, false};
}

constexpr std::array handlers{
    command<messages::TicketOpen>(),       command<messages::TicketChangeState>(), command<messages::BoardCreate>(),
    command<messages::TicketComment>(),    command<messages::SettingsUpdate>(),
    result<messages::MailArrived>(),       result<messages::MailParsed>(),
    command<messages::BoardUpdate>(),      command<messages::BoardDelete>(),       command<messages::ConnectionCreate>(),
    command<messages::ConnectionUpdate>(), command<messages::ConnectionDelete>(),  command<messages::ConnectionTest>(),
    command<messages::StandbyAssign>(),    command<messages::StandbyRetry>(),      command<messages::StandbyEdit>(),
    command<messages::StandbyDelete>(),    command<messages::StandbyRetryMany>(),  result<messages::WorkClaim>(),
    result<messages::WorkCommit>(),        result<messages::WorkOutcome>(),        result<messages::TestOutcome>(),
    command<messages::InboxCreate>(),      command<messages::InboxUpdate>(),       command<messages::InboxDelete>(),
    command<messages::InboxPoll>(),        result<messages::PollClaim>(),          result<messages::PollProgress>(),
    result<messages::PollEnded>(),
};

const Handler* find_handler(std::string_view type) {
  const auto found = std::ranges::find(handlers, type, &Handler::type);
  return found == handlers.end() ? nullptr : &*found;
}

// "ticket.open.v9" is a known type in a version that this program does not know.
bool is_other_version(std::string_view type) {
  const auto dot = type.rfind(".v");
  if (dot == std::string_view::npos) return false;
  return std::ranges::any_of(handlers, [&](const Handler& handler) { return handler.type.substr(0, handler.type.rfind(".v")) == type.substr(0, dot); });
}

bool may_have_published(const messages::Envelope& envelope) {
  if (envelope.user_id != "ledger") return broker::may_publish(envelope.user_id, envelope.type);
  // A replay: what counts is who published it the first time.
  return !envelope.original_user_id.empty() && broker::may_publish(envelope.original_user_id, envelope.type);
}

Incoming incoming_of(const broker::Delivery& delivery) {
  return {delivery.envelope, delivery.exchange, delivery.routing_key, delivery.queue, delivery.headers_json, delivery.body};
}

MayDrop reply_to(const messages::Envelope& to, std::int64_t status, std::string body, Context& context) {
  MayDrop reply;
  reply.exchange = broker::names::reply;
  reply.routing_key = to.reply_to;
  reply.envelope.message_id = context.ids.next();
  reply.envelope.type = messages::CommandReplied::type;
  reply.envelope.correlation_id = to.message_id;
  reply.envelope.timestamp = from_micros(context.now);
  reply.body = codec::encode(messages::CommandReplied{to.message_id, status, {std::move(body)}});
  return reply;
}

}  // namespace

Result<Aftermath> Intake::shelve(const Incoming& in, std::string_view reason_class, std::string_view reason, Context& context) {
  auto state = books_.load(poison_needs(in));
  if (!state) return state.error();
  Decision decision = decide_poison(*state, in, reason_class, reason, context);
  if (!in.envelope.reply_to.empty()) {
    const std::string problem = problem_json({422, reason_class, "Not acceptable", std::string{reason}, ""}, in.envelope.message_id);
    decision.may_drop.push_back(reply_to(in.envelope, 422, problem, context));
  }
  return books_.write(std::move(decision), context);
}

Result<Aftermath> Intake::shelve(const broker::Delivery& delivery, std::string_view reason_class, std::string_view reason, Context& context) {
  return shelve(incoming_of(delivery), reason_class, reason, context);
}

Result<Aftermath> Intake::answer_duplicate(const store::InboxRow& known, const Incoming& in, std::string_view fingerprint, Context& context) {
  metrics::counter("ledger_duplicates").add();
  Aftermath after;
  if ((known.fingerprint != fingerprint || known.type != in.envelope.type) && !saboteur("fingerprint_ignored")) {
    const std::string_view reason = "The same id was used before with another content: repeat the first request, or choose a new Idempotency-Key.";
    if (in.envelope.reply_to.empty()) return shelve(in, reused_key, reason, context);
    const std::string problem = problem_json({422, "idempotency-key-reused", "Key used before", std::string{reason}, ""}, in.envelope.message_id);
    after.may_drop.push_back(reply_to(in.envelope, 422, problem, context));
    return after;
  }
  if (in.envelope.reply_to.empty()) return after;
  if (known.status == 202) {
    // Still running: whoever asked last is told when it ends.
    auto moved = books_.database().execute("UPDATE connection_tests SET reply_to = ?1 WHERE id = ?2 AND state = 'running'", {in.envelope.reply_to, known.message_id});
    if (!moved) return moved.error();
    if (books_.database().changed_rows() > 0) return after;
  }
  after.may_drop.push_back(reply_to(in.envelope, known.status, known.result, context));
  return after;
}

Result<Aftermath> Intake::take_command(const broker::Delivery& delivery, const Incoming& in, Context& context) {
  const auto& envelope = in.envelope;
  const std::string fingerprint = crypto::to_hex(crypto::sha256(delivery.body));
  auto known = store::select_one<store::InboxRow>(books_.database(), "WHERE message_id = ?1 AND retry = ?2", {envelope.message_id, envelope.retry});
  if (!known) return known.error();
  if (*known && !saboteur("no_inbox_check")) return answer_duplicate(**known, in, fingerprint, context);

  auto decision = find_handler(envelope.type)->handle(books_, in, context);
  if (!decision) return decision.error();
  store::InboxRow row{envelope.message_id, envelope.retry, envelope.type, fingerprint, decision->status, decision->answer, context.now};
  decision->insert(std::move(row));
  if (!envelope.reply_to.empty() && decision->status != 0 && !decision->is_answered_later) {
    decision->may_drop.push_back(reply_to(envelope, decision->status, decision->answer, context));
  }
  return books_.write(std::move(*decision), context);
}

Result<Aftermath> Intake::take(const broker::Delivery& delivery, Context& context) {
  const Incoming in = incoming_of(delivery);
  const auto& envelope = in.envelope;
  if (delivery.queue == broker::names::standby) {
    auto state = books_.load(dead_letter_needs(in));
    if (!state) return state.error();
    return books_.write(decide_dead_letter(*state, in, context), context);
  }
  const Handler* handler = find_handler(envelope.type);
  if (handler == nullptr) {
    const bool is_version = is_other_version(envelope.type);
    return shelve(in, is_version ? "unknown_version" : "unknown_type",
                  is_version ? "This program does not know this version of the message." : "This program does not know this type of message.", context);
  }
  if (!is_uuid(envelope.message_id)) return shelve(in, "invalid_id", "Its message_id is not a UUID.", context);
  if (!may_have_published(envelope) && !saboteur("publisher_unchecked")) {
    return shelve(in, not_allowed, fmt::format("The user {} may not publish {}.", envelope.user_id, envelope.type), context);
  }
  metrics::counter("ledger_messages", {{"type", handler->type}}).add();
  if (handler->is_command) return take_command(delivery, in, context);
  auto decision = handler->handle(books_, in, context);
  if (!decision) return decision.error();
  return books_.write(std::move(*decision), context);
}

}  // namespace postroom::ledger
