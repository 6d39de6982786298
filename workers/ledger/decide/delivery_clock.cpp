// What time decides about deliveries and items.

#include "common/base/sabotage.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::ReasonClass;
using messages::StandbyState;
using store::DeliveryState;
using store::DeliveryStep;

Decision decide_dispatch(const State& state, Context& context, bool is_shelved) {
  if (!state.delivery || !state.destination || state.delivery->state != DeliveryState::waiting) return {};
  DeliveryMachine machine{state, context};
  if (is_shelved) {
    const auto reason = messages::value_of<ReasonClass>(state.destination->pause_reason).value_or(ReasonClass::none);
    machine.shelve(reason, state.connection && !state.connection->reason.empty() ? state.connection->reason : "the far side refuses the connection");
  } else if (is_mail(machine.row()) && machine.must_wait()) {
    machine.hold_back();
  } else {
    machine.dispatch();
  }
  return machine.finish();
}

Decision decide_silence(const State& state, Context& context) {
  if (!state.delivery || state.delivery->due_at > context.now) return {};
  const auto& row = *state.delivery;
  DeliveryMachine machine{state, context};
  if (row.state == DeliveryState::dispatched) {
    machine.wait_until(context.now, row.reason_class, row.reason, "unclaimed");
  } else if (row.state == DeliveryState::claimed && is_mail(row) && machine.is_committed()) {
    machine.mail_in_doubt("the worker fell silent between the end of the mail and the server's answer");
  } else if (row.state == DeliveryState::claimed && is_mail(row)) {
    machine.wait_spending(ReasonClass::timeout, "the worker fell silent before the mail was whole; it is sent again", std::nullopt);
  } else if (row.state == DeliveryState::claimed && row.step == DeliveryStep::send && !saboteur("silence_taken_for_unsent")) {
    machine.resolve_at(context.now, ReasonClass::timeout, "the worker fell silent; whether it was sent is being looked up");
  } else if (row.state == DeliveryState::claimed) {
    machine.wait_spending(ReasonClass::timeout, "the worker fell silent while looking it up", std::nullopt);
  }
  return machine.finish();
}

Decision decide_retry_deadline(const State& state, Context& context) {
  Decision decision;
  if (!state.item || state.item->state != StandbyState::retry_pending || state.item->due_at > context.now) return decision;
  store::StandbyRow item = *state.item;
  const bool is_read = state.mail && state.arrival && state.arrival->state == store::ArrivalState::standby && state.mail->stage != store::MailStage::decided;
  const bool is_under_way = is_read || (state.delivery && (state.delivery->state == DeliveryState::waiting || state.delivery->state == DeliveryState::dispatched ||
                                               state.delivery->state == DeliveryState::claimed));
  if (is_under_way) {
    item.due_at = context.now + 600'000'000;  // it reports by itself when it ends
  } else {
    item.state = item.assignee ? StandbyState::assigned : StandbyState::open;
    item.due_at = 0;
    ++item.version;
    note(decision, context, {item.correlation_id, item.ticket_id, {}, item.id}, "ledger", "retry_unanswered");
    announce(decision, item);
  }
  decision.update(*state.item, std::move(item));
  return decision;
}

}  // namespace postroom::ledger
