#pragma once
// One inbox on one mailbox, and the words of its poller. Decisions are carried out on the rows.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "common/codec/codec.hpp"
#include "tests/support/fakes.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

struct LeaseWorld {
  static constexpr std::int64_t second = 1'000'000, minute = 60 * second;

  fakes::CountingIds ids;
  Config config;
  Context context{1'000'000 * second, 0, ids, [] { return 0.5; }, config};
  State state;
  Decision last;
  std::vector<store::HistoryRow> history;
  std::map<std::string, store::InboxChoreRow> chores;
  std::map<std::int64_t, store::InboxSuspectRow> suspects;
  std::string word_id;  // of the next word; "" = a new one each time

  LeaseWorld() {
    config.installation.id = "11111111-1111-4111-8111-111111111111";
    store::ConnectionRow connection;
    connection.id = "mailbox";
    connection.name = "Mailbox";
    connection.kind = messages::ConnectionKind::imap;
    connection.base_url = "imaps://mail.example";
    connection.account = "support";
    connection.secret_sealed = "v1.sealed";
    connection.version = 1;
    state.connection = connection;
    store::MailInboxRow inbox;
    inbox.id = "inbox";
    inbox.name = "Support";
    inbox.connection_id = "mailbox";
    inbox.address = "support@example.com";
    inbox.folder = "INBOX";
    inbox.interval_ms = 60'000;
    inbox.is_push = true;
    inbox.since = context.now;
    inbox.due_at = context.now;
    inbox.version = 1;
    state.inbox = inbox;
  }

  store::MailInboxRow& inbox() { return *state.inbox; }
  void pass(std::int64_t time) { context.now += time; }
  std::int64_t due_in() { return inbox().due_at - context.now; }

  const Decision& carry_out(Decision decision) {
    for (const auto& change : decision.changes) {
      const bool is_removed = change.kind == Change::Kind::remove;
      if (const auto* inbox_row = std::get_if<store::MailInboxRow>(&change.after)) state.inbox = *inbox_row;
      if (is_removed && std::holds_alternative<store::MailInboxRow>(change.before)) state.inbox.reset();
      if (const auto* connection = std::get_if<store::ConnectionRow>(&change.after)) state.connection = *connection;
      if (const auto* chore = std::get_if<store::InboxChoreRow>(&change.before); chore != nullptr && is_removed) chores.erase(chore->id);
      if (const auto* chore = std::get_if<store::InboxChoreRow>(&change.after)) chores[chore->id] = *chore;
      if (const auto* suspect = std::get_if<store::InboxSuspectRow>(&change.after); suspect != nullptr && !is_removed) suspects[suspect->uid] = *suspect;
      if (const auto* suspect = std::get_if<store::InboxSuspectRow>(&change.before); suspect != nullptr && is_removed) suspects.erase(suspect->uid);
      if (const auto* entry = std::get_if<store::HistoryRow>(&change.after)) history.push_back(*entry);
    }
    last = std::move(decision);
    return last;
  }

  template <class M>
  const Decision& receive(const M& message) {
    state.chores.clear();
    state.reported_chores.clear();
    state.suspects.clear();
    for (const auto& [id, chore] : chores) {
      if (chore.state == store::ChoreState::waiting) state.chores.push_back(chore);
      state.reported_chores.push_back(chore);
    }
    std::ranges::stable_sort(state.chores, {}, &store::InboxChoreRow::attempts);
    for (const auto& [uid, suspect] : suspects) state.suspects.push_back(suspect);
    messages::Envelope envelope;
    envelope.message_id = word_id.empty() ? ids.next() : word_id;
    envelope.type = M::type;
    envelope.reply_to = "reply.imap_poller.1";
    const std::string body = codec::encode(message);
    return carry_out(decide(state, message, Incoming{envelope, "result", "result", "ledger.results", "", body}, context));
  }

  // --- the clock and the poller ---
  void tick() { carry_out(decide_poll_due(state, context)); }
  std::int64_t jobs() const {
    return std::ranges::count_if(last.must_arrive, [](const auto& message) { return message.envelope.type == messages::ImapPoll::type; });
  }
  messages::PollAnswered answered() const {
    REQUIRE(last.may_drop.size() == 1);
    auto answer = codec::decode<messages::PollAnswered>(last.may_drop.front().body);
    REQUIRE(answer.ok());
    return *answer;
  }
  messages::PollAnswered claim(std::string token = "token", std::optional<std::int64_t> dispatch_no = {}) {
    receive(messages::PollClaim{"inbox", dispatch_no.value_or(state.inbox ? inbox().dispatch_no : 1), std::move(token), "imap_poller-1"});
    return answered();
  }
  void hold() {
    tick();
    REQUIRE(claim().verdict == messages::ClaimVerdict::send);
  }
  messages::PollProgress word(std::string stage = "idling") const {
    messages::PollProgress message;
    message.inbox_id = "inbox";
    message.dispatch_no = state.inbox ? state.inbox->dispatch_no : 1;
    message.token = "token";
    message.stage = std::move(stage);
    return message;
  }
  messages::PollProgress caught_up(std::int64_t exists = 3, std::int64_t validity = 7) const {
    auto message = word();
    message.mailbox = messages::MailboxFacts{validity, exists, false, true};
    message.is_caught_up = true;
    return message;
  }
  messages::PollAnswered say(const messages::PollProgress& message) {
    receive(message);
    return answered();
  }
  const Decision& end(messages::PollOutcome outcome, messages::ReasonClass reason = messages::ReasonClass::none, std::optional<std::int64_t> suspect = {},
                      std::optional<bool> is_amid_mails = {}) {
    messages::PollEnded message;
    message.inbox_id = "inbox";
    message.dispatch_no = inbox().dispatch_no;
    message.token = "token";
    message.outcome = outcome;
    message.reason_class = reason;
    message.reason = outcome == messages::PollOutcome::failed ? "because" : "";
    message.suspect_uid = suspect;
    message.is_amid_mails = is_amid_mails;
    message.mailbox = messages::MailboxFacts{7, 3, false, true};
    return receive(message);
  }
  void add_chore(std::string id, std::int64_t uid, std::int64_t validity = 7) {
    chores[id] = {id, "inbox", validity, uid, messages::ChoreVerb::flag, "\\Seen", store::ChoreState::waiting, 0, "", context.now};
  }
  bool has_noted(std::string_view action) const {
    return std::ranges::any_of(history, [&](const auto& entry) { return entry.action == action; });
  }
};

}  // namespace postroom::ledger
