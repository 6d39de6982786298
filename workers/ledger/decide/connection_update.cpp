#include <algorithm>

#include "common/base/sabotage.hpp"
#include "common/store/views.hpp"
#include "workers/ledger/decide/board_target.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/destination.hpp"
#include "workers/ledger/decide/lease.hpp"
#include "workers/ledger/decide/mailbox_place.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::ConnectionKind;
using messages::ConnectionUpdate;

namespace {

// Numbers, marks and attempts in doubt belong to the site that they came from; mails and cursors to the mailbox.
bool is_other_site(const State& state, const ConnectionUpdate& message) {
  const auto& before = *state.connection;
  if (before.kind == ConnectionKind::smtp) return false;
  if (before.kind != ConnectionKind::imap) return message.base_url && *message.base_url != before.base_url && state.has_connection_past;
  const bool is_other_mailbox = (message.base_url && host_of(*message.base_url) != host_of(before.base_url)) || (message.account && *message.account != before.account);
  return is_other_mailbox && std::ranges::any_of(state.connection_inboxes, [](const auto& inbox) { return inbox.uid_validity != 0; });
}

// The secret was entered for that account at that host, and nobody can read it from here: it is sent nowhere else.
bool needs_secret_again(const store::ConnectionRow& before, const ConnectionUpdate& message) {
  if (message.secret_sealed || before.secret_sealed.empty() || saboteur("secret_sent_elsewhere")) return false;
  return (message.base_url && host_of(*message.base_url) != host_of(before.base_url)) || (message.account && *message.account != before.account);
}

// An inbox somewhere else has the mails of one of its inboxes, there where it is to lead now.
const AccountInbox* new_twin(const State& state, const store::ConnectionRow& after) {
  const auto& before = *state.connection;
  if (after.kind != ConnectionKind::imap || mailbox_place(after.base_url, after.account) == mailbox_place(before.base_url, before.account)) return nullptr;
  for (const auto& inbox : state.connection_inboxes) {
    if (const AccountInbox* twin = twin_of(state, after, inbox)) return twin;
  }
  return nullptr;
}

// Their holders come again with the new settings; what failed with the old ones is tried at once.
void tell_inboxes(const State& state, const store::ConnectionRow& connection, Context& context, Decision& decision) {
  for (const auto& inbox : state.connection_inboxes) {
    State one;
    one.inbox = inbox;
    one.connection = connection;
    LeaseMachine machine{one, context};
    machine.settings_changed();
    for (auto& change : machine.finish().changes) decision.changes.push_back(std::move(change));
  }
}

}  // namespace

Needs needs(const ConnectionUpdate& message, const Incoming&) {
  Needs needs;
  needs.connection_id = message.connection_id;
  needs.connection_name = message.name;
  needs.connection_past = message.base_url.has_value();
  needs.connection_inboxes = true;
  needs.account_inboxes = message.base_url || message.account;
  needs.account = message.account;
  return needs;
}

Decision decide(const State& state, const ConnectionUpdate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.connection) return not_found("connection", message.connection_id, command_id);
  const auto& before = *state.connection;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (message.name && state.connection_named && state.connection_named->id != before.id) return refused(name_taken(*message.name), command_id);
  if (is_other_site(state, message)) {
    const bool is_mailbox = before.kind == ConnectionKind::imap;
    return refused({409, "connection-used", "The connection was used already",
                    is_mailbox ? "Its mails belong to the mailbox it leads to: make a new connection with inboxes of its own."
                               : "Its tickets belong to the site it leads to: make a new connection and point the boards at it.",
                    message.base_url ? "/base_url" : "/account"},
                   command_id);
  }
  if (needs_secret_again(before, message)) {
    return refused({422, "secret-needed", "The secret is needed again", "It would be sent to another place than the one it was given for: give it again.", "/secret"},
                   command_id);
  }
  Decision decision;
  store::ConnectionRow connection = before;
  if (message.name) connection.name = *message.name;
  if (message.base_url) connection.base_url = *message.base_url;
  if (message.account) connection.account = *message.account;
  if (message.secret_sealed) connection.secret_sealed = *message.secret_sealed;
  if (message.is_paused) connection.is_paused = *message.is_paused;
  if (const AccountInbox* twin = new_twin(state, connection)) return refused(polled_already(*twin, message.account ? "/account" : "/base_url"), command_id);
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
    tell_inboxes(state, connection, context, decision);
  }
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "connection_updated",
       detail({{"connection_id", connection.id}, {"secret", message.secret_sealed ? "changed" : ""}, {"paused", connection.is_paused ? "yes" : ""}}));
  decision.reply(200, store::data_json(store::connection_json(connection)));
  decision.update(before, std::move(connection));
  return decision;
}

}  // namespace postroom::ledger
