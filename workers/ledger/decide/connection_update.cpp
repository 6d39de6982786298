#include "common/store/views.hpp"
#include "workers/ledger/decide/board_target.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/destination.hpp"

namespace postroom::ledger {

using messages::ConnectionUpdate;

Needs needs(const ConnectionUpdate& message, const Incoming&) {
  Needs needs;
  needs.connection_id = message.connection_id;
  needs.connection_name = message.name;
  return needs;
}

Decision decide(const State& state, const ConnectionUpdate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.connection) return not_found("connection", message.connection_id, command_id);
  const auto& before = *state.connection;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (message.name && state.connection_named && state.connection_named->id != before.id) return refused(name_taken(*message.name), command_id);
  Decision decision;
  store::ConnectionRow connection = before;
  if (message.name) connection.name = *message.name;
  if (message.base_url) connection.base_url = *message.base_url;
  if (message.account) connection.account = *message.account;
  if (message.secret_sealed) connection.secret_sealed = *message.secret_sealed;
  if (message.is_paused) connection.is_paused = *message.is_paused;
  connection.updated_at = context.now;
  ++connection.version;
  // Whatever was known of the far side was known of the old settings.
  if (message.base_url || message.account || message.secret_sealed || message.is_paused) {
    connection.state = store::ConnectionState::unknown;
    connection.reason_class = messages::ReasonClass::none;
    connection.reason.clear();
    connection.state_at = context.now;
    if (state.destination) {
      store::DestinationRow destination = *state.destination;
      reset(destination, context);
      decision.update(*state.destination, std::move(destination));
    }
    decision.touched.push_back(connection.id);
  }
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "connection_updated",
       detail({{"connection_id", connection.id}, {"secret", message.secret_sealed ? "changed" : ""}, {"paused", connection.is_paused ? "yes" : ""}}));
  decision.reply(200, store::data_json(store::connection_json(connection)));
  decision.update(before, std::move(connection));
  return decision;
}

}  // namespace postroom::ledger
