#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

using messages::PollAnswered;
using messages::PollProgress;

Needs needs(const PollProgress& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.lease = true;
  for (const auto& report : message.chores) needs.chore_ids.push_back(report.chore_id);
  return needs;
}

Decision decide(const State& state, const PollProgress& message, const Incoming& in, Context& context) {
  PollAnswered answer{message.inbox_id, message.dispatch_no, message.token, messages::ClaimVerdict::drop, "", {}, {}};
  if (!state.inbox) {
    Decision decision;
    answer.reason = "the inbox is gone";
    answer_poll(decision, in, context, answer);
    return decision;
  }
  LeaseMachine machine{state, context};
  const auto& row = machine.row();
  machine.chores_reported(message.chores);  // what was done on the server was done, whoever did it
  if (!machine.is_holder(message.dispatch_no, message.token)) {
    answer.reason = "the lease is over";
    answer_poll(machine.decision(), in, context, answer);
    return machine.finish();
  }
  machine.heard();
  if (row.word_id != in.envelope.message_id) {
    machine.facts(message.mailbox, message.older_count);
    machine.said(message.notice);
    if (message.is_caught_up) machine.caught_up();
    machine.asks(message.mailbox, message.asking_uid);
    machine.stage(message.stage, in.envelope.message_id);
  }
  const bool is_overdue = context.now >= row.lease_until + micros(context.config.mail.lease_word);
  if (row.is_stopping || is_overdue) {
    answer.reason = is_overdue ? "the lease ended" : "the inbox was changed, or is to be looked at anew";
  } else {
    answer.verdict = messages::ClaimVerdict::send;
    answer.chores = machine.new_chores();
  }
  answer_poll(machine.decision(), in, context, answer);
  return machine.finish();
}

}  // namespace postroom::ledger
