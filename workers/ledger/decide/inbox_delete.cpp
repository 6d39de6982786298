#include <fmt/format.h>

#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::InboxDelete;

Needs needs(const InboxDelete& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.inbox_usage = true;
  return needs;
}

Decision decide(const State& state, const InboxDelete& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.inbox) return not_found("inbox", message.inbox_id, command_id);
  if (message.expected_version && *message.expected_version != state.inbox->version) return version_mismatch(state.inbox->version, command_id);
  if (state.is_inbox_used) {
    return refused({409, "in-use", "In use", "Mails of this inbox wait for their decision: pause it, and try again in a moment.", ""}, command_id);
  }
  Decision decision;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "inbox_deleted", detail({{"inbox_id", message.inbox_id}, {"name", state.inbox->name}}));
  decision.reply(200, fmt::format(R"({{"data":{{"id":"{}","state":"deleted"}}}})", state.inbox->id));
  decision.remove(*state.inbox);  // whoever holds its lease is told at the next word
  return decision;
}

}  // namespace postroom::ledger
