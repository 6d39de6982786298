#include <fmt/format.h>

#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::ConnectionDelete;

Needs needs(const ConnectionDelete& message, const Incoming&) {
  Needs needs;
  needs.connection_id = message.connection_id;
  needs.connection_usage = true;
  return needs;
}

Decision decide(const State& state, const ConnectionDelete& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.connection) return not_found("connection", message.connection_id, command_id);
  if (message.expected_version && *message.expected_version != state.connection->version) return version_mismatch(state.connection->version, command_id);
  if (state.is_connection_used) {
    return refused({409, "in-use", "In use", "A board, an inbox or the settings use this connection, or a delivery to it is unfinished: change those, finish or delete its standby items first.", ""},
                   command_id);
  }
  Decision decision;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "connection_deleted",
       detail({{"connection_id", message.connection_id}, {"name", state.connection->name}}));
  decision.reply(200, fmt::format(R"({{"data":{{"id":"{}","state":"deleted"}}}})", state.connection->id));
  if (state.destination) decision.remove(*state.destination);
  decision.remove(*state.connection);
  return decision;
}

}  // namespace postroom::ledger
