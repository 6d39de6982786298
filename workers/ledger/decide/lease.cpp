#include "workers/ledger/decide/lease.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/destination.hpp"

namespace postroom::ledger {

using messages::ReasonClass;
using store::ChoreState;
using store::ConnectionState;
using store::LeaseState;

namespace {

constexpr std::int64_t suspect_wait = 5'000'000;     // microseconds: a culprit is looked for at once …
constexpr std::int64_t most_quick_failures = 6;      // … unless it is the server that breaks everything
constexpr std::int64_t most_chore_attempts = 5;
constexpr std::size_t most_said = 500;               // bytes of a server's text

// What keeps every folder of a mailbox from being read, and not just this one.
bool is_of_connection(ReasonClass reason) { return is_hopeless(reason) || reason == ReasonClass::unreachable; }

// Has the holder not come to rest yet since it was told to look?
bool is_looking(std::string_view stage) {
  constexpr std::array<std::string_view, 5> busy{"claimed", "connecting", "chores", "listing", "fetching"};
  return std::ranges::find(busy, stage) != busy.end();
}

}  // namespace

bool is_pollable(const store::MailInboxRow& inbox, const std::optional<store::ConnectionRow>& connection) {
  return !inbox.is_paused && connection && !connection->is_paused;
}

LeaseMachine::LeaseMachine(const State& state, Context& context)
    : state_(state), context_(context), row_(*state.inbox), connection_(state.connection), chores_(state.chores) {}

bool LeaseMachine::is_holder(std::int64_t dispatch_no, std::string_view token) const {
  return row_.lease == LeaseState::held && row_.dispatch_no == dispatch_no && row_.token == token;
}

void LeaseMachine::note(std::string_view actor, std::string_view action, std::string detail_json) {
  ledger::note(decision_, context_, {row_.id, {}, {}, {}}, actor, action, std::move(detail_json));
}

// --- how it goes ---

void LeaseMachine::far_side_is(ConnectionState state, ReasonClass reason_class, std::string_view reason) {
  if (!connection_ || (connection_->state == state && connection_->reason_class == reason_class)) return;
  connection_->state = state;
  connection_->reason_class = reason_class;
  connection_->reason = to_valid_utf8(reason);
  connection_->state_at = context_.now;
}

void LeaseMachine::is_well() {
  row_.failures = 0;
  far_side_is(ConnectionState::ok, ReasonClass::none, "");
  if (row_.state == ConnectionState::ok) return;
  row_.state = ConnectionState::ok;
  row_.reason_class = ReasonClass::none;
  row_.reason.clear();
  row_.state_at = context_.now;
  note("ledger", "inbox_ok", "{}");
}

void LeaseMachine::is_failing(ReasonClass reason_class, std::string_view reason) {
  const bool is_news = row_.state != ConnectionState::failing || row_.reason_class != reason_class;
  if (is_news) row_.state_at = context_.now;
  row_.state = ConnectionState::failing;
  row_.reason_class = reason_class;
  row_.reason = to_valid_utf8(reason);
  if (is_news) note("ledger", "inbox_failing", detail({{"reason_class", std::string{messages::name_of(reason_class)}}, {"reason", row_.reason}}));
}

std::int64_t LeaseMachine::failure_wait(std::int64_t failures) const {
  const auto& mail = context_.config.mail;
  return back_off(context_, micros(mail.poll_failure_base), micros(mail.poll_failure_cap), failures);
}

// --- the clock ---

void LeaseMachine::leave(std::int64_t due_at) {
  row_.lease = LeaseState::idle;
  row_.token.clear();
  row_.lease_until = 0;
  row_.is_stopping = false;
  row_.stage.clear();
  row_.asking_uid_validity = row_.asking_uid = 0;
  row_.due_at = is_pollable(row_, connection_) ? due_at : 0;
}

void LeaseMachine::rest() { leave(0); }

void LeaseMachine::dispatch() {
  leave(context_.now);
  if (!is_pollable(row_, connection_)) return;
  ++row_.dispatch_no;
  row_.lease = LeaseState::dispatched;
  // The newest job stays in the queue while nobody takes it, so it is replaced ever more seldom.
  const std::int64_t timeout = micros(context_.config.delivery.dispatch_timeout);
  row_.due_at = context_.now + std::min(timeout << std::min<std::int64_t>(row_.failures, 10), std::max(timeout, micros(context_.config.mail.poll_failure_cap)));
  MustArrive job;
  job.exchange = broker::names::work;
  job.routing_key = messages::worker_of(messages::ConnectionKind::imap);
  job.envelope.message_id = context_.ids.next();
  job.envelope.type = messages::ImapPoll::type;
  job.envelope.correlation_id = row_.id;
  job.envelope.timestamp = from_micros(context_.now);
  job.body = codec::encode(messages::ImapPoll{row_.id, row_.dispatch_no});
  decision_.must_arrive.push_back(std::move(job));
}

void LeaseMachine::unclaimed() {
  ++row_.failures;
  is_failing(ReasonClass::timeout, "no worker took the job: is imap_poller running, and are there enough of them?");
  dispatch();
}

void LeaseMachine::lost(std::string_view reason) {
  ++row_.failures;
  ++row_.silences;
  const std::int64_t asked = row_.asking_uid;
  if (asked != 0) strike(row_.asking_uid_validity, asked);
  // One that is killed is replaced at once; what kills one after the other must not spin.
  if (row_.failures <= 1) return dispatch();
  is_failing(ReasonClass::timeout, asked == 0 ? std::string{reason} : fmt::format("{} when it asked for the mail with UID {}", reason, asked));
  leave(context_.now + failure_wait(row_.failures - 1));
  if (asked != 0) hasten();
}

// --- the holder's words ---

void LeaseMachine::hold(std::string_view token, std::string_view worker) {
  row_.lease = LeaseState::held;
  row_.token = token;
  row_.worker = worker;
  row_.lease_until = context_.now + micros(context_.config.mail.lease);
  row_.is_stopping = false;
  row_.stage = "claimed";
  row_.word_id.clear();
  row_.asking_uid_validity = row_.asking_uid = 0;
  heard();
}

void LeaseMachine::hold_again() {
  if (row_.stage == "claimed") row_.is_stopping = false;  // this answer has today's settings
  heard();
}

void LeaseMachine::heard() { row_.due_at = context_.now + micros(context_.config.mail.lease_silence); }

void LeaseMachine::facts(const std::optional<messages::MailboxFacts>& mailbox, std::int64_t older_count) {
  const std::int64_t claimed_at = row_.lease_until - micros(context_.config.mail.lease);
  if (mailbox) {
    // A lease without a cursor of this mailbox, or whose cursor means nothing any more, counts from the beginning, once.
    const bool is_first_word = row_.server_at < claimed_at;
    if (is_first_word && (row_.uid_validity != mailbox->uid_validity || older_count > 0)) row_.server_older = 0;
    row_.server_exists = mailbox->exists;
    row_.server_at = context_.now;
    row_.can_push = mailbox->can_push;
    // Suspects of a mailbox that is no more.
    for (const auto& suspect : state_.suspects) {
      if (suspect.uid_validity != mailbox->uid_validity) decision_.remove(suspect);
    }
  }
  row_.server_older += std::max<std::int64_t>(0, older_count);
}

void LeaseMachine::caught_up() {
  row_.caught_up_at = context_.now;
  row_.silences = 0;
  is_well();
  // What came through is no suspect any more.
  for (const auto& suspect : state_.suspects) {
    if (suspect.uid_validity == row_.uid_validity && suspect.uid <= row_.last_uid) decision_.remove(suspect);
  }
}

void LeaseMachine::stage(std::string_view text, std::string_view word_id) {
  row_.stage = to_valid_utf8(text);
  row_.word_id = word_id;
}

void LeaseMachine::asks(const std::optional<messages::MailboxFacts>& mailbox, std::optional<std::int64_t> uid) {
  const bool is_known = mailbox && uid;
  row_.asking_uid_validity = is_known ? mailbox->uid_validity : 0;
  row_.asking_uid = is_known ? *uid : 0;
}

void LeaseMachine::said(std::string_view text) {
  if (text.empty()) return;
  note("mail server", "server_said", detail({{"text", to_valid_utf8(text.substr(0, most_said))}}));
}

void LeaseMachine::released() { leave(context_.now); }

void LeaseMachine::ended() {
  const bool lasted = context_.now >= row_.lease_until - micros(context_.config.mail.lease) / 2;
  const bool is_watched = row_.is_push && row_.can_push;
  std::int64_t wait = row_.interval_ms * 1'000;
  if (row_.is_stopping || (is_watched && lasted)) {
    wait = 0;
  } else if (is_watched) {
    // A watch that ended early, for whatever reason, begins again soon; one that always ends at once must not spin.
    wait = std::min(wait, micros(context_.config.mail.poll_failure_base));
  }
  row_.silences = 0;
  leave(context_.now + wait);
}

void LeaseMachine::failed(ReasonClass reason_class, std::string_view reason) {
  // Told to stop because something was changed: it failed with the old settings, which proves nothing about today's.
  if (row_.is_stopping) return leave(context_.now);
  ++row_.failures;
  is_failing(reason_class, reason.empty() ? "the conversation with the server broke" : reason);
  if (is_of_connection(reason_class)) far_side_is(ConnectionState::failing, reason_class, row_.reason);
  leave(context_.now + failure_wait(row_.failures));
}

void LeaseMachine::broke_at(std::int64_t uid_validity, std::int64_t uid) {
  strike(uid_validity, uid);
  hasten();
}

// The mails behind it wait.
void LeaseMachine::hasten() {
  if (row_.failures <= most_quick_failures && row_.due_at > 0) row_.due_at = std::min(row_.due_at, context_.now + suspect_wait);
}

void LeaseMachine::strike(std::int64_t uid_validity, std::int64_t uid) {
  for (const auto& suspect : state_.suspects) {
    if (suspect.uid_validity != uid_validity) decision_.remove(suspect);
  }
  const auto known = std::ranges::find_if(state_.suspects, [&](const auto& suspect) { return suspect.uid_validity == uid_validity && suspect.uid == uid; });
  store::InboxSuspectRow suspect{row_.id, uid_validity, uid, 1};
  if (known == state_.suspects.end()) {
    decision_.insert(suspect);
  } else {
    suspect.strikes = known->strikes + 1;
    decision_.update(*known, suspect);
  }
  if (suspect.strikes == last_strike) {
    decision_.alarm(fmt::format("inbox {}: mail {} broke the conversation or its worker {} times; it is passed over and shelved", row_.name, uid, last_strike), row_.id);
  }
  note("ledger", "mail_suspected", fmt::format(R"({{"uid":{},"strikes":{}}})", uid, suspect.strikes));
}

void LeaseMachine::chores_reported(const std::vector<messages::ChoreReport>& reports) {
  for (const auto& report : reports) {
    const auto& known = state_.reported_chores;
    const auto before = std::ranges::find(known, report.chore_id, &store::InboxChoreRow::id);
    if (before == known.end() || before->state != ChoreState::waiting) continue;
    store::InboxChoreRow after = *before;
    after.reason = to_valid_utf8(report.text.substr(0, most_said));
    if (report.result == messages::ChoreResult::done) {
      after.state = ChoreState::done;
    } else if (report.result == messages::ChoreResult::refused || after.attempts >= most_chore_attempts) {
      after.state = ChoreState::failed;
      note("ledger", "chore_failed", detail({{"verb", std::string{messages::name_of(after.verb)}}, {"uid", std::to_string(after.uid)}, {"reason", after.reason}}));
    }
    // A set flag is all there was to it; what was moved or deleted counts in the mailbox's report.
    if (after.state == ChoreState::done && after.verb == messages::ChoreVerb::flag) {
      decision_.remove(*before);
    } else {
      decision_.update(*before, after);
    }
    std::erase_if(chores_, [&](const auto& chore) { return chore.id == after.id; });
  }
}

// --- a person's words ---

void LeaseMachine::look_now() {
  row_.failures = 0;
  switch (row_.lease) {
    case LeaseState::idle: leave(context_.now); break;
    case LeaseState::dispatched: expect_soon(); break;
    case LeaseState::held: row_.is_stopping = row_.is_stopping || !is_looking(row_.stage); break;
  }
}

void LeaseMachine::settings_changed() {
  row_.failures = 0;
  if (row_.lease == LeaseState::held) {
    row_.is_stopping = true;
  } else if (!is_pollable(row_, connection_)) {
    rest();  // a job that is on its way is told to drop
  } else if (row_.lease == LeaseState::idle) {
    leave(context_.now);
  } else {
    expect_soon();
  }
}

// A job that nobody took for long is replaced before long.
void LeaseMachine::expect_soon() { row_.due_at = std::min(row_.due_at, context_.now + micros(context_.config.delivery.dispatch_timeout)); }

// --- what it is given ---

messages::PollChore LeaseMachine::carry(store::InboxChoreRow& chore) {
  const store::InboxChoreRow before = chore;
  ++chore.attempts;
  decision_.update(before, chore);
  return {chore.id, chore.uid_validity, chore.uid, chore.verb, chore.argument};
}

messages::PollGrant LeaseMachine::grant() {
  messages::PollGrant grant;
  const auto& connection = *connection_;
  grant.site = {connection.id, connection.base_url, connection.account, connection.secret_sealed};
  grant.folder = row_.folder;
  if (row_.uid_validity != 0) {
    grant.cursor = messages::MailboxCursor{row_.uid_validity, row_.last_uid};
  }
  // Counts only where the listing begins at nothing: without a cursor, or when the mailbox turns out to be made anew.
  if (row_.since > 0) grant.since_us = row_.since;
  grant.is_careful = row_.silences > 0;
  for (const auto& suspect : state_.suspects) {
    if (suspect.uid_validity == row_.uid_validity && suspect.uid <= row_.last_uid) continue;  // it came through
    if (suspect.strikes >= last_strike) {
      grant.skip.push_back(suspect.uid);
    } else {
      grant.is_careful = true;
    }
  }
  for (auto& chore : chores_) {
    if (chore.uid_validity == row_.uid_validity) {
      grant.chores.push_back(carry(chore));
    } else {
      // Its mail has another UID by now, or is gone.
      store::InboxChoreRow after = chore;
      after.state = ChoreState::failed;
      after.reason = "the mailbox has another UIDVALIDITY by now";
      decision_.update(chore, after);
    }
  }
  grant.interval_ms = row_.interval_ms;
  grant.is_push = row_.is_push;
  grant.lease_ms = std::max<std::int64_t>(0, (row_.lease_until - context_.now) / 1'000);
  return grant;
}

std::vector<messages::PollChore> LeaseMachine::new_chores() {
  std::vector<messages::PollChore> fresh;
  for (auto& chore : chores_) {
    if (chore.attempts == 0 && chore.uid_validity == row_.uid_validity) fresh.push_back(carry(chore));
  }
  return fresh;
}

Decision LeaseMachine::finish() {
  decision_.update(*state_.inbox, row_);
  if (state_.connection) decision_.update(*state_.connection, *connection_);
  return std::move(decision_);
}

void answer_poll(Decision& decision, const Incoming& in, Context& context, const messages::PollAnswered& answer) {
  if (in.envelope.reply_to.empty()) return;
  MayDrop reply;
  reply.exchange = broker::names::reply;
  reply.routing_key = in.envelope.reply_to;
  reply.envelope.message_id = context.ids.next();
  reply.envelope.type = messages::PollAnswered::type;
  reply.envelope.correlation_id = in.envelope.correlation_id;
  reply.envelope.timestamp = from_micros(context.now);
  reply.body = codec::encode(answer);
  decision.may_drop.push_back(std::move(reply));
}

}  // namespace postroom::ledger
