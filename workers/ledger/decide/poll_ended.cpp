#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

using messages::PollEnded;
using messages::PollOutcome;

Needs needs(const PollEnded& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.lease = true;
  for (const auto& report : message.chores) needs.chore_ids.push_back(report.chore_id);
  return needs;
}

Decision decide(const State& state, const PollEnded& message, const Incoming&, Context& context) {
  if (!state.inbox) return {};
  LeaseMachine machine{state, context};
  machine.chores_reported(message.chores);
  if (!machine.is_holder(message.dispatch_no, message.token)) return machine.finish();
  machine.facts(message.mailbox, message.older_count);
  switch (message.outcome) {
    case PollOutcome::done: machine.ended(); break;
    case PollOutcome::released: machine.released(); break;
    case PollOutcome::failed:
      machine.failed(message.reason_class, message.reason);
      if (message.suspect_uid) machine.broke_at(message.mailbox ? message.mailbox->uid_validity : machine.row().uid_validity, *message.suspect_uid);
      break;
  }
  return machine.finish();
}

Decision decide_poll_due(const State& state, Context& context) {
  if (!state.inbox || state.inbox->due_at == 0 || state.inbox->due_at > context.now) return {};
  LeaseMachine machine{state, context};
  switch (machine.row().lease) {
    case store::LeaseState::idle: machine.dispatch(); break;
    case store::LeaseState::dispatched: machine.unclaimed(); break;
    case store::LeaseState::held: machine.lost("its worker fell silent"); break;
  }
  return machine.finish();
}

}  // namespace postroom::ledger
