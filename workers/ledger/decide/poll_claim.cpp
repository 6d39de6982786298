#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

using messages::PollAnswered;
using messages::PollClaim;
using store::LeaseState;

Needs needs(const PollClaim& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.lease = true;
  return needs;
}

Decision decide(const State& state, const PollClaim& message, const Incoming& in, Context& context) {
  PollAnswered answer{message.inbox_id, message.dispatch_no, message.token, messages::ClaimVerdict::drop, "", {}, {}};
  const auto drop = [&](Decision decision, std::string_view why) {
    answer.reason = why;
    answer_poll(decision, in, context, answer);
    return decision;
  };
  if (!state.inbox) return drop({}, "the inbox is gone");
  LeaseMachine machine{state, context};
  const auto& row = machine.row();
  if (message.dispatch_no != row.dispatch_no) return drop({}, "a newer dispatch took its place");
  if (row.lease == LeaseState::idle) return drop({}, "no longer wanted");
  if (row.lease == LeaseState::held && row.token != message.token) {
    // The broker brings a job again when its holder's link is gone. Should the holder live, it is told to drop at its next word.
    machine.lost("its worker lost the job");
    return drop(machine.finish(), "claimed by another");
  }
  if (!is_pollable(row, state.connection)) {
    machine.rest();
    return drop(machine.finish(), row.is_paused ? "the inbox is paused" : "the connection is paused");
  }
  if (row.lease == LeaseState::dispatched) {
    machine.hold(message.token, message.worker);
  } else {
    machine.hold_again();
  }
  answer.verdict = messages::ClaimVerdict::send;
  answer.grant = machine.grant();
  answer_poll(machine.decision(), in, context, answer);
  return machine.finish();
}

}  // namespace postroom::ledger
