// What is different about mails: nobody can be asked whether one arrived. Before the commit word nothing can have arrived; after it, silence means
// that it may have. A notice that may have arrived is not sent again; what a person wrote is, under the same Message-ID.

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/delivery.hpp"

namespace postroom::ledger {

using messages::MailNotice;
using messages::ReasonClass;
using store::DeliveryState;

namespace {

constexpr std::int64_t an_hour = 3'600'000'000;  // microseconds
constexpr std::int64_t next_look = 60'000'000;   // at a mail that waits for another one; that one's end wakes it

bool is_unfinished(const store::DeliveryRow& row) {
  return row.state == DeliveryState::waiting || row.state == DeliveryState::dispatched || row.state == DeliveryState::claimed;
}

}  // namespace

std::optional<MailNotice> DeliveryMachine::notice() const {
  auto decoded = codec::decode<MailNotice>(row_.notice);
  return decoded ? std::optional{std::move(*decoded)} : std::nullopt;
}

// --- on the way out ---

bool DeliveryMachine::must_wait() const {
  return state_.mail_before.has_value() || (state_.sent_mails.count >= context_.config.notify.hourly_limit && !saboteur("hourly_share_off"));
}

void DeliveryMachine::hold_back() {
  decision_.touched.push_back(row_.destination_id);
  if (state_.mail_before) {
    const auto& first = *state_.mail_before;
    row_.due_at = std::max(context_.now + next_look, first.state == DeliveryState::waiting ? first.due_at : 0);
    row_.reason = "an earlier mail of this ticket to the same person goes first";
    return;
  }
  row_.due_at = std::max(context_.now + 1'000'000, state_.sent_mails.oldest_at + an_hour);
  constexpr std::string_view full = "this person got as many mails within an hour as are sent at most";
  const bool is_known = row_.reason_class == ReasonClass::rate_limited && row_.reason == full;
  row_.reason_class = ReasonClass::rate_limited;
  row_.reason = full;
  if (is_known) return;
  note("ledger", "held_back", detail({{"reason", row_.reason}, {"due_at", to_rfc3339(from_micros(row_.due_at))}}));
}

// The conversation so far becomes part of the mail; from the first commit on the mail stays as it is.
void DeliveryMachine::prepare_mail() {
  row_.sent_at = 0;
  if (row_.maybe_sent) return;
  auto mail = notice();
  if (!mail) return;
  mail->references = state_.thread_ids;
  row_.notice = codec::encode(*mail);
}

void DeliveryMachine::commit_mail() {
  if (saboteur("commit_word_forgotten")) return;
  row_.maybe_sent = true;
  row_.sent_at = context_.now;
}

// --- what came of it ---

// This attempt; an earlier one may have been.
void DeliveryMachine::mail_not_sent() {
  row_.maybe_sent = row_.absent_count > 0;
  row_.sent_at = 0;
}

void DeliveryMachine::mail_is_out(std::string_view message_id) {
  row_.maybe_sent = true;
  row_.finished_at = context_.now;
  if (row_.sent_at == 0) row_.sent_at = context_.now;
  decision_.insert_missing(store::ParticipantRow{row_.ticket_id, row_.recipient, context_.now});
  if (!message_id.empty()) decision_.insert_missing(store::MailThreadRow{std::string{message_id}, row_.ticket_id, context_.now});
  settle_item();
}

void DeliveryMachine::mail_done(std::string_view message_id, std::string_view actor) {
  const bool is_news = row_.state != DeliveryState::done;
  if (!is_news && row_.reason_class != ReasonClass::assumed_sent) return;
  if (is_news) leave(DeliveryState::done);
  row_.reason_class = ReasonClass::none;
  row_.reason.clear();
  mail_is_out(message_id);
  note(actor, "mailed", detail({{"recipient", row_.recipient}, {"message_id", std::string{message_id}}}));
}

bool DeliveryMachine::is_comment() const {
  const auto mail = notice();
  return mail && mail->kind == messages::NoticeKind::comment;
}

// Anybody can write with a made-up address: each would leave an item that no person could do anything about.
void DeliveryMachine::no_such_reader(std::string_view reason) {
  mail_not_sent();
  row_.reason_class = ReasonClass::recipient_refused;
  row_.reason = to_valid_utf8(reason);
  cancel("ledger", reason);
  settle_item();
}

void DeliveryMachine::mail_in_doubt(std::string_view reason) {
  if (is_comment()) {
    ++row_.absent_count;
    note("ledger", "in_doubt", detail({{"reason", std::string{reason}}, {"then", "it is sent again under the same Message-ID"}}));
    return wait_spending(ReasonClass::timeout, reason, std::nullopt);
  }
  leave(DeliveryState::done);
  row_.reason_class = ReasonClass::assumed_sent;
  row_.reason = to_valid_utf8(reason);
  mail_is_out("");
  note("ledger", "assumed_sent", detail({{"recipient", row_.recipient}, {"reason", std::string{reason}}}));
}

// Those behind it were held back; the next one's turn has come.
void DeliveryMachine::wake_next_mail() {
  if (is_unfinished(row_) || !is_unfinished(*state_.delivery) || !state_.mail_after) return;
  const auto& next = *state_.mail_after;
  if (next.dispatch_no > 0 || next.due_at <= context_.now) return;
  store::DeliveryRow woken = next;
  woken.due_at = context_.now;
  woken.reason.clear();
  decision_.update(next, std::move(woken));
}

// --- a person's word ---

void DeliveryMachine::retry_mail(std::string_view actor) {
  row_.attempts = row_.snoozes = 0;
  row_.state = DeliveryState::waiting;
  row_.due_at = context_.now;
  // Today's way out, when the ticket's mail goes through another server by now.
  if (state_.smtp) row_.destination_id = state_.smtp->id;
  retried(actor);
}

}  // namespace postroom::ledger
