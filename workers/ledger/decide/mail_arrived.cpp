// A mail came in: its arrival and the cursor of its mailbox, in one transaction.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "common/crypto/crypto.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::MailArrived;
using messages::MailExtent;
using store::ArrivalState;
using store::MailStage;

namespace {

constexpr std::int64_t size_play = 1'024;  // bytes, or a twentieth: what headers and boundaries made anew make a mail longer or shorter
constexpr std::int64_t parse_patience = 3'600'000'000;  // microseconds that a replayed mail may take to be decided before its item is open again

store::ArrivalRow arrival_of(const MailArrived& message, const Incoming& in, const Context& context) {
  store::ArrivalRow row;
  row.id = in.envelope.message_id;
  row.kind = "mail";
  row.natural_key = natural_key(message, in.envelope.message_id);
  row.correlation_id = correlation_of(in);
  row.ticket_id = message.ticket_id;
  row.actor = "mail";
  row.accepted_at = accepted_at(in, context);
  return row;
}

std::string reused_item_id(const std::string& arrival_id, const MailArrived& message) { return crypto::uuid_v5(arrival_id, {message.blob->sha256}); }

struct Arriving {
  const State& state;
  const MailArrived& message;
  const Incoming& in;
  Context& context;
  Decision decision{};
  ArrivalDesk desk{state, context, decision, arrival_of(message, in, context)};

  bool is_whole() const { return message.extent == MailExtent::whole && message.blob; }

  store::MailRow fresh_row() const {
    store::MailRow mail;
    mail.arrival_id = in.envelope.message_id;
    mail.inbox_id = message.inbox_id;
    mail.uid_validity = message.uid_validity;
    mail.uid = message.uid;
    mail.received_at = message.received_at_us.value_or(desk.row().accepted_at);
    take_bytes(mail);
    mail.assigned_board = in.envelope.assigned_board;
    return mail;
  }

  void take_bytes(store::MailRow& mail) const {
    mail.extent = message.blob ? message.extent : MailExtent::none;
    mail.blob_sha256 = message.blob ? message.blob->sha256 : "";
    mail.blob_size = message.blob ? message.blob->size : message.stated_size;
    mail.trouble = message.trouble;
  }

  void queue(store::MailRow& mail) const {
    mail.stage = MailStage::waiting;
    mail.due_at = context.now;  // also its place in the line
  }

  void shelve(store::MailRow& mail, std::string_view reason_class, std::string reason) {
    mail.stage = MailStage::decided;
    mail.due_at = 0;
    mail.verdict = verdicts::standby;
    mail.why = reason;
    mail.decided_at = context.now;
    if (!mail.assigned_board.empty()) desk.row().board_id = mail.assigned_board;
    desk.shelve(item_of(in, messages::StandbyKind::arrival, reason_class, reason, context), reason_class, reason);
  }

  std::string unfetchable_reason() const {
    return fmt::format("The mail could not be fetched from the server: {}", message.trouble.empty() ? "it gave no reason." : message.trouble);
  }

  // The same bytes in the same mailbox are the same mail: it was copied, or the mailbox was made anew. Two headers without their mails
  // are only comparable across that.
  bool is_same_mail() const {
    const auto& other = state.same_bytes;
    return other && other->extent == message.extent && (is_whole() || other->uid_validity != message.uid_validity);
  }

  void begin() {
    desk.note(desk.row().actor, "accepted",
              detail({{"accepted_at", to_rfc3339(from_micros(desk.row().accepted_at))},
                      {"kind", desk.row().kind},
                      {"inbox", state.mailbox ? state.mailbox->name : message.inbox_id},
                      {"uid", std::to_string(message.uid)}}));
    store::MailRow mail = fresh_row();
    if (mail.extent == MailExtent::none) {
      shelve(mail, unfetchable, unfetchable_reason());
    } else if (!state.mailbox) {
      shelve(mail, inbox_unknown, "The mailbox that it came from is not one of ours any more: assign the mail to a board.");
    } else if (in.envelope.retry == 0 && is_same_mail()) {
      end_as_duplicate(decision, context, desk, state.mailbox, mail, *state.same_bytes,
                       fmt::format("the same bytes as mail {} of this mailbox", state.same_bytes->arrival_id));
    } else {
      queue(mail);
      desk.end_as(ArrivalState::received);
    }
    decision.insert(std::move(mail));
  }

  // Some servers put a mail together anew for each fetch, with other boundaries and header lines. When they received it tells them from a
  // server that gives the number of one mail to another.
  bool is_same_made_anew(const store::MailRow& mail) const {
    const auto difference = std::abs(message.blob->size - mail.blob_size);
    return message.received_at_us == mail.received_at && difference <= std::max(size_play, mail.blob_size / 20);
  }

  // The broker brought it twice, or it was fetched again.
  void again() {
    if (!state.mail || !is_whole()) return;
    store::MailRow mail = *state.mail;
    if (mail.extent != MailExtent::whole && state.arrival->state == ArrivalState::standby) {
      take_bytes(mail);
      queue(mail);
      desk.note("ledger", "fetched_whole", "{}", desk.row().standby_id);
      decision.update(*state.mail, std::move(mail));
    } else if (mail.extent == MailExtent::whole && mail.blob_sha256 != message.blob->sha256) {
      if (is_same_made_anew(mail)) return desk.note("ledger", "fetched_with_other_bytes", detail({{"blob", message.blob->sha256}}));
      // A server that gives one number to two mails: the second one must not be lost.
      const std::string reason = fmt::format("The server gave the UID of mail {} to another one.", mail.arrival_id);
      auto item = item_of(in, messages::StandbyKind::poison, uid_reused, reason, context);
      item.id = reused_item_id(mail.arrival_id, message);
      if (state.item && state.item->id == item.id) return;
      desk.note("ledger", "uid_reused", detail({{"blob", message.blob->sha256}}), item.id);
      decision.insert_missing(std::move(item));
    }
  }

  // Sent on from the shelf: parsed and decided anew, and its item waits for that.
  void replay() {
    if (!state.pending_item || state.pending_item->retry_no != in.envelope.retry || !state.mail) return;
    store::MailRow mail = *state.mail;
    if (!in.envelope.assigned_board.empty()) mail.assigned_board = in.envelope.assigned_board;
    if (state.arrival->state != ArrivalState::standby) {
      desk.settle_item();
      if (state.arrival->state == ArrivalState::received) decision.update(*state.mail, std::move(mail));
      return;
    }
    if (is_whole() || mail.extent != MailExtent::whole) take_bytes(mail);  // it may have been fetched whole meanwhile
    const bool is_being_read = mail.stage != MailStage::decided && mail.blob_sha256 == state.mail->blob_sha256;
    if (mail.extent == MailExtent::none) {
      shelve(mail, unfetchable, unfetchable_reason());
    } else if (!is_being_read) {
      queue(mail);
      store::StandbyRow item = *state.pending_item;
      item.due_at = context.now + parse_patience;
      decision.update(*state.pending_item, std::move(item));
    }
    decision.update(*state.mail, std::move(mail));
  }
};

}  // namespace

Needs needs(const MailArrived& message, const Incoming& in) {
  Needs needs;
  needs.arrival_id = in.envelope.message_id;
  needs.mail_id = in.envelope.message_id;
  needs.mailbox_id = message.inbox_id;
  if (message.blob) needs.mail_blob = message.blob->sha256;
  if (message.blob && in.envelope.retry == 0) needs.standby_id = reused_item_id(in.envelope.message_id, message);
  return needs;
}

Decision decide(const State& state, const MailArrived& message, const Incoming& in, Context& context) {
  Arriving arriving{state, message, in, context};
  // A replay tells nothing about its neighbours in the mailbox.
  if (in.envelope.retry == 0) move_cursor(arriving.decision, context, state.mailbox, message, !state.arrival);
  if (!state.arrival) {
    arriving.begin();
  } else if (in.envelope.retry > 0) {
    arriving.replay();
  } else {
    arriving.again();
  }
  return std::move(arriving.decision);
}

}  // namespace postroom::ledger
