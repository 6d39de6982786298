#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/messages/stored.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/standby_item.hpp"

namespace postroom::ledger {

using messages::StandbyRetry;
using messages::StandbyState;

namespace {

constexpr std::int64_t replay_deadline = 120'000'000;  // microseconds until a replay that nobody heard of counts as lost

template <class M>
void give_own_id_to(store::StandbyRow& item) {
  auto properties = codec::decode<messages::StoredProperties>(item.properties);
  auto message = codec::decode<M>(item.original);
  if (!properties || !message) return;
  item.subject_id = properties->envelope.message_id = crypto::uuid_v5(item.id, {"message"});
  item.ticket_id = message->ticket_id = crypto::uuid_v5(item.subject_id, {"ticket"});
  item.properties = codec::encode(*properties);
  item.original = codec::encode(*message);
}

// What was accepted under an id that another message already had becomes a ticket of its own.
void give_own_id(store::StandbyRow& item) {
  if (item.reason_class == reused_key) give_own_id_to<messages::TicketOpen>(item);
  if (item.reason_class == uid_reused) give_own_id_to<messages::MailArrived>(item);
}

Decision replay(const State& state, const StandbyRetry& message, const std::string& command_id, Context& context) {
  const std::int64_t replay_no = state.subject_retries + 1;
  store::StandbyRow item = *state.item;
  give_own_id(item);
  auto out = replay_of(item, replay_no);
  if (!out) return refused({422, "not-replayable", "Cannot be sent again", out.error().what(), out.error().where()}, command_id);
  Decision decision;
  item.retry_no = replay_no;
  item.state = StandbyState::retry_pending;
  item.due_at = context.now + replay_deadline;
  ++item.version;
  decision.must_arrive.push_back(std::move(*out));
  note(decision, context, about_item(item), message.actor, "retried", fmt::format(R"({{"retry":{}}})", replay_no));
  announce(decision, item);
  decision.reply(200, item_answer(item));
  decision.update(*state.item, std::move(item));
  return decision;
}

Decision retry_delivery(const State& state, const StandbyRetry& message, const std::string& command_id, Context& context, bool is_single) {
  if (!state.delivery || state.delivery->state != store::DeliveryState::standby) {
    return refused({409, "not-on-standby", "Not on standby", "Its delivery is not on standby any more.", ""}, command_id);
  }
  DeliveryMachine machine{state, context};
  auto& destination = machine.destination();
  // A person who retries one item wants to know now; many at once wait for the probe.
  if (is_single && destination.circuit == store::Circuit::open) destination.paused_until = 0;
  machine.retry(message.actor);
  Decision decision = machine.finish();
  for (const auto& change : decision.changes) {
    if (const auto* item = std::get_if<store::StandbyRow>(&change.after)) decision.reply(200, item_answer(*item));
  }
  return decision;
}

}  // namespace

Needs needs(const StandbyRetry& message, const Incoming&) {
  Needs needs;
  needs.standby_id = message.standby_id;
  return needs;
}

Decision decide(const State& state, const StandbyRetry& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (auto obstacle = item_obstacle(state, message.standby_id, message.expected_version, false, command_id)) return std::move(*obstacle);
  if (state.item->kind != messages::StandbyKind::delivery) return replay(state, message, command_id, context);
  return retry_delivery(state, message, command_id, context, in.envelope.type == StandbyRetry::type);
}

}  // namespace postroom::ledger
