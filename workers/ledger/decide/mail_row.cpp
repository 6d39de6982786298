#include "workers/ledger/decide/mail_row.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::AfterImport;
using messages::ChoreVerb;

namespace {

messages::MailArrived arrived_of(const store::MailRow& mail, const store::ArrivalRow& arrival) {
  messages::MailArrived message;
  message.inbox_id = mail.inbox_id;
  message.ticket_id = arrival.ticket_id;
  message.uid_validity = mail.uid_validity;
  message.uid = mail.uid;
  message.extent = mail.extent;
  if (!mail.blob_sha256.empty()) message.blob = messages::BlobRef{mail.blob_sha256, mail.blob_size};
  message.stated_size = mail.blob_size;
  message.trouble = mail.trouble;
  message.received_at_us = mail.received_at;
  return message;
}

ChoreVerb verb_of(AfterImport after) {
  if (after == AfterImport::move) return ChoreVerb::move;
  return after == AfterImport::erase ? ChoreVerb::erase : ChoreVerb::flag;
}

}  // namespace

std::string natural_key(const messages::MailArrived& message, const std::string& arrival_id) {
  const std::string own_id = crypto::uuid_v5(message.inbox_id, {std::to_string(message.uid_validity), std::to_string(message.uid)});
  const std::string key = fmt::format("{}/{}/{}", message.inbox_id, message.uid_validity, message.uid);
  return arrival_id == own_id ? key : fmt::format("{}/{}", key, arrival_id);
}

void move_cursor(Decision& decision, Context& context, const std::optional<store::MailInboxRow>& mailbox, const messages::MailArrived& message, bool is_new) {
  if (!mailbox || message.uid_validity <= 0 || message.uid <= message.previous_uid || message.previous_uid < 0) return;
  store::MailInboxRow moved = *mailbox;
  if (moved.uid_validity == message.uid_validity) {
    if (message.previous_uid > moved.last_uid && !saboteur("cursor_over_a_gap")) return;
    // Too low is never wrong: what is listed again is known.
    const bool has_fallen = is_new && message.previous_uid == 0 && message.uid <= moved.last_uid;
    moved.last_uid = has_fallen ? message.uid : std::max(moved.last_uid, message.uid);
  } else {
    if (message.previous_uid != 0) return;
    // What was left alone under the old one; this lease's words may have told of the new one already.
    if (moved.server_at < moved.lease_until - micros(context.config.mail.lease)) moved.server_older = 0;
    moved.uid_validity = message.uid_validity;
    moved.last_uid = message.uid;
  }
  decision.update(*mailbox, std::move(moved));
}

store::StandbyRow mail_item(const store::MailRow& mail, const store::ArrivalRow& arrival, std::string_view reason_class, std::string_view reason,
                            Context& context) {
  const auto& route = *broker::find_route(messages::MailArrived::type);
  messages::Envelope envelope;
  envelope.message_id = arrival.id;
  envelope.type = messages::MailArrived::type;
  envelope.correlation_id = arrival.correlation_id;
  envelope.user_id = route.publishers;
  envelope.timestamp = from_micros(arrival.accepted_at);
  const std::string body = codec::encode(arrived_of(mail, arrival));
  return item_of({envelope, route.exchange, route.key, broker::names::ledger_intake, "", body}, messages::StandbyKind::arrival, reason_class, reason, context);
}

void after_import(Decision& decision, Context& context, const std::optional<store::MailInboxRow>& mailbox, const store::MailRow& mail) {
  if (!mailbox || mailbox->after_import == AfterImport::keep) return;
  // What is not here whole stays where it is.
  if (mail.extent != messages::MailExtent::whole && mailbox->after_import != AfterImport::seen) return;
  store::InboxChoreRow chore;
  chore.id = context.ids.next();
  chore.inbox_id = mail.inbox_id;
  chore.uid_validity = mail.uid_validity;
  chore.uid = mail.uid;
  chore.verb = verb_of(mailbox->after_import);
  if (chore.verb == ChoreVerb::flag) chore.argument = "\\Seen";
  if (chore.verb == ChoreVerb::move) chore.argument = mailbox->after_folder.value_or("");
  chore.created_at = context.now;
  decision.insert(std::move(chore));
}

void end_as_duplicate(Decision& decision, Context& context, ArrivalDesk& desk, const std::optional<store::MailInboxRow>& mailbox, store::MailRow& mail,
                      const store::MailRow& first, std::string why) {
  mail.stage = store::MailStage::decided;
  mail.due_at = 0;
  mail.verdict = verdicts::duplicate;
  mail.why = std::move(why);
  mail.duplicate_of = first.duplicate_of ? first.duplicate_of : std::optional{first.arrival_id};
  mail.ticket_id = first.ticket_id;
  mail.decided_at = context.now;
  note(decision, context, {desk.row().correlation_id, first.ticket_id, {}, {}}, "ledger", "duplicate",
       detail({{"arrival_id", mail.arrival_id}, {"duplicate_of", *mail.duplicate_of}, {"why", mail.why}}));
  desk.end_as(store::ArrivalState::duplicate);
  after_import(decision, context, mailbox, mail);
}

}  // namespace postroom::ledger
