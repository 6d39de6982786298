#include "common/store/views.hpp"
#include "workers/ledger/decide/board_target.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/destination.hpp"

namespace postroom::ledger {

using messages::ConnectionCreate;

Needs needs(const ConnectionCreate& message, const Incoming&) {
  Needs needs;
  needs.connection_id = message.connection_id;
  needs.connection_name = message.name;
  return needs;
}

Decision decide(const State& state, const ConnectionCreate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (state.connection) return refused({409, "exists", "Exists already", "There is a connection with this id.", ""}, command_id);
  if (state.connection_named) return refused(name_taken(message.name), command_id);
  Decision decision;
  store::ConnectionRow connection;
  connection.id = message.connection_id;
  connection.name = message.name;
  connection.kind = message.kind;
  connection.base_url = message.base_url;
  connection.account = message.account;
  connection.secret_sealed = message.secret_sealed;
  connection.version = 1;
  connection.state_at = connection.created_at = connection.updated_at = context.now;
  // A mailbox is polled; nothing is delivered to it.
  if (connection.kind != messages::ConnectionKind::imap) {
    store::DestinationRow destination;
    destination.id = connection.id;
    destination.worker = messages::worker_of(connection.kind);
    reset(destination, context);
    decision.insert(std::move(destination));
  }
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "connection_created", detail({{"connection_id", connection.id}, {"name", connection.name}}));
  decision.reply(201, store::data_json(store::connection_json(connection)));
  decision.insert(std::move(connection));
  return decision;
}

}  // namespace postroom::ledger
