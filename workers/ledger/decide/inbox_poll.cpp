#include "common/store/views.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/lease.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::InboxPoll;

Needs needs(const InboxPoll& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.lease = true;
  return needs;
}

Decision decide(const State& state, const InboxPoll& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.inbox) return not_found("inbox", message.inbox_id, command_id);
  LeaseMachine machine{state, context};
  if (!is_pollable(machine.row(), state.connection)) {
    return refused({409, "paused", "Paused", machine.row().is_paused ? "The inbox is paused: resume it first." : "Its connection is paused: resume it first.", ""}, command_id);
  }
  machine.look_now();
  Decision& decision = machine.decision();
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "inbox_poll_asked", detail({{"inbox_id", message.inbox_id}}));
  decision.reply(200, store::data_json(store::inbox_json(machine.row())));
  return machine.finish();
}

}  // namespace postroom::ledger
