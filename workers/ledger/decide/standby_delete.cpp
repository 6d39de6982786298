#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/standby_item.hpp"

namespace postroom::ledger {

using messages::StandbyDelete;
using messages::StandbyKind;

Needs needs(const StandbyDelete& message, const Incoming&) {
  Needs needs;
  needs.standby_id = message.standby_id;
  return needs;
}

Decision decide(const State& state, const StandbyDelete& message, const Incoming& in, Context& context) {
  if (auto obstacle = item_obstacle(state, message.standby_id, message.expected_version, false, in.envelope.message_id)) return std::move(*obstacle);
  Decision decision;
  store::StandbyRow item = *state.item;
  if (item.kind != StandbyKind::delivery && state.arrival && state.arrival->standby_id == item.id && state.arrival->state == store::ArrivalState::standby) {
    store::ArrivalRow arrival = *state.arrival;
    arrival.state = store::ArrivalState::deleted;
    arrival.decided_at = context.now;
    decision.update(*state.arrival, std::move(arrival));
    decision.count("arrivals_standby", -1);
    decision.count("arrivals_deleted");
    if (state.mail) {
      // Decided: by a person. A reading that is still under way comes too late.
      store::MailRow mail = *state.mail;
      mail.stage = store::MailStage::decided;
      mail.due_at = 0;
      mail.verdict = verdicts::deleted;
      mail.decided_at = context.now;
      after_import(decision, context, state.mailbox, mail);
      decision.update(*state.mail, std::move(mail));
    }
  }
  if (item.kind == StandbyKind::delivery && state.delivery && state.delivery->state == store::DeliveryState::standby) {
    State without_item = state;  // the item is this decision's business
    without_item.item.reset();
    DeliveryMachine machine{without_item, context};
    machine.cancel(message.actor, message.reason.value_or(""));
    decision = machine.finish();
  }
  item.state = messages::StandbyState::deleted;
  item.due_at = 0;
  ++item.version;
  note(decision, context, about_item(item), message.actor, "deleted", detail({{"reason", message.reason.value_or("")}}));
  announce(decision, item);
  decision.reply(200, item_answer(item));
  decision.update(*state.item, std::move(item));
  return decision;
}

}  // namespace postroom::ledger
