#include <algorithm>

#include "common/mail/address.hpp"
#include "common/store/views.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/first_moments.hpp"
#include "workers/ledger/decide/inbox_rules.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

using messages::InboxCreate;

Needs needs(const InboxCreate& message, const Incoming&) {
  Needs needs;
  needs.inbox_id = message.inbox_id;
  needs.inbox_name = message.name;
  needs.account_inboxes = true;
  needs.connection_id = message.connection_id;
  needs.board_id = kept_text(message.board_id);
  needs.smtp_connection_id = kept_text(message.smtp_connection_id);
  return needs;
}

Decision decide(const State& state, const InboxCreate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (state.inbox) return refused({409, "exists", "Exists already", "There is an inbox with this id.", ""}, command_id);
  store::MailInboxRow inbox;
  inbox.id = message.inbox_id;
  inbox.name = message.name;
  inbox.connection_id = message.connection_id;
  inbox.address = mail::canonical_address(message.address);
  inbox.folder = message.folder;
  inbox.board_id = kept_text(message.board_id);
  inbox.smtp_connection_id = kept_text(message.smtp_connection_id);
  inbox.interval_ms = message.interval_ms;
  inbox.is_push = message.is_push;
  inbox.after_import = message.after;
  inbox.after_folder = kept_text(message.after_folder);
  inbox.duplicate_ms = message.duplicate_ms;
  inbox.since = std::max<std::int64_t>(0, message.since_us.value_or(new_mail_since(context.now)));
  inbox.version = 1;
  inbox.state_at = inbox.created_at = inbox.updated_at = context.now;
  if (auto problem = wrong_inbox(state, inbox)) return refused(*problem, command_id);
  inbox.due_at = is_pollable(inbox, state.connection) ? context.now : 0;
  Decision decision;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "inbox_created", detail({{"inbox_id", inbox.id}, {"name", inbox.name}}));
  decision.reply(201, store::data_json(store::inbox_json(inbox)));
  decision.insert(std::move(inbox));
  return decision;
}

}  // namespace postroom::ledger
