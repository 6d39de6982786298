#include "common/mail/address.hpp"
#include "common/store/views.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/inbox_rules.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

using messages::InboxUpdate;

namespace {

// What the holder of a lease was told.
bool is_other_watch(const store::MailInboxRow& before, const store::MailInboxRow& after) {
  return before.folder != after.folder || before.interval_ms != after.interval_ms || before.is_push != after.is_push || before.is_paused != after.is_paused;
}

store::MailInboxRow changed(const store::MailInboxRow& before, const InboxUpdate& message, const Context& context) {
  store::MailInboxRow inbox = before;
  if (message.name) inbox.name = *message.name;
  if (message.address) inbox.address = mail::canonical_address(*message.address);
  if (message.folder) inbox.folder = *message.folder;
  if (message.board_id) inbox.board_id = kept_text(message.board_id);
  if (message.smtp_connection_id) inbox.smtp_connection_id = kept_text(message.smtp_connection_id);
  if (message.interval_ms) inbox.interval_ms = *message.interval_ms;
  if (message.is_push) inbox.is_push = *message.is_push;
  if (message.after) inbox.after_import = *message.after;
  if (message.after_folder) inbox.after_folder = kept_text(message.after_folder);
  if (message.duplicate_ms) inbox.duplicate_ms = *message.duplicate_ms;
  if (message.is_paused) inbox.is_paused = *message.is_paused;
  inbox.updated_at = context.now;
  ++inbox.version;
  return inbox;
}

}  // namespace

Needs needs(const InboxUpdate& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.lease = true;  // with its connection
  needs.inbox_references = true;
  needs.inbox_name = message.name;
  needs.board_id = kept_text(message.board_id);
  needs.smtp_connection_id = kept_text(message.smtp_connection_id);
  needs.account_inboxes = message.folder || message.after || message.after_folder;
  return needs;
}

Decision decide(const State& state, const InboxUpdate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.inbox) return not_found("inbox", message.inbox_id, command_id);
  const auto& before = *state.inbox;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (message.folder && *message.folder != before.folder && before.uid_validity != 0) {
    return refused({409, "inbox-used", "The inbox was used already", "What it knows are the mails of its folder: make another inbox for the other folder.", "/folder"},
                   command_id);
  }
  store::MailInboxRow inbox = changed(before, message, context);
  if (auto problem = wrong_inbox(state, inbox)) return refused(*problem, command_id);

  State with_change = state;
  with_change.inbox = inbox;
  LeaseMachine machine{with_change, context};
  if (is_other_watch(before, inbox)) machine.settings_changed();
  inbox = machine.row();
  Decision decision;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "inbox_updated",
       detail({{"inbox_id", inbox.id}, {"name", inbox.name}, {"paused", inbox.is_paused ? "yes" : ""}}));
  decision.reply(200, store::data_json(store::inbox_json(inbox)));
  decision.update(before, std::move(inbox));
  return decision;
}

}  // namespace postroom::ledger
