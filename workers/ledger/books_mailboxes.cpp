// What decisions about mailboxes, their leases and outgoing mails see.

#include "common/store/table.hpp"
#include "workers/ledger/books.hpp"
#include "workers/ledger/loading.hpp"

namespace postroom::ledger {

using store::Row;

namespace {

constexpr std::int64_t an_hour = 3'600'000'000;  // microseconds

// One word carries so many chores; the rest comes with the next one.
constexpr std::string_view chores_waiting = "WHERE inbox_id = ?1 AND state = 'waiting' ORDER BY attempts, uid LIMIT 200";
// By what is undecided, for an inbox may have a hundred thousand mails that are not.
constexpr std::string_view mails_undecided =
    "SELECT EXISTS (SELECT 1 FROM mails WHERE stage = 'waiting' AND stage <> 'decided' AND due_at >= 0 AND inbox_id = ?1) "
    "OR EXISTS (SELECT 1 FROM mails WHERE stage = 'parsing' AND stage <> 'decided' AND due_at >= 0 AND inbox_id = ?1)";
constexpr std::string_view mails_to_recipient =
    "SELECT sent_at AS at FROM deliveries WHERE recipient = ?1 AND recipient <> '' "
    "AND state IN ('waiting', 'dispatched', 'claimed', 'standby', 'done', 'cancelled') AND sent_at > ?2 AND sent_at <= ?3 "
    "UNION ALL SELECT ?3 FROM deliveries WHERE recipient = ?1 AND recipient <> '' AND state IN ('dispatched', 'claimed') AND sent_at = 0 AND id <> ?4 "
    "ORDER BY at";
constexpr std::string_view mails_ahead =
    "SELECT COUNT(*) FROM deliveries WHERE recipient = ?1 AND recipient <> '' AND state = 'waiting' AND (created_at < ?2 OR (created_at = ?2 AND id < ?3))";
constexpr std::string_view mail_before =
    "WHERE ticket_id = ?1 AND destination_id = ?2 AND recipient = ?3 AND recipient <> '' AND state IN ('waiting', 'dispatched', 'claimed') AND seq < ?4 "
    "ORDER BY seq LIMIT 1";
constexpr std::string_view mail_after =
    "WHERE ticket_id = ?1 AND destination_id = ?2 AND recipient = ?3 AND recipient <> '' AND state = 'waiting' AND seq > ?4 ORDER BY seq LIMIT 1";
constexpr std::string_view ticket_smtp =
    "WHERE id = COALESCE((SELECT i.smtp_connection_id FROM mails m JOIN inboxes i ON i.id = m.inbox_id WHERE m.arrival_id = ?1), "
    "(SELECT smtp_connection_id FROM settings WHERE id = 1))";

template <class R>
Result<void> fetch_all(std::vector<R>& rows, store::Database& database, std::string_view rest, std::initializer_list<store::Value> values) {
  auto found = store::select<R>(database, rest, values);
  if (!found) return found.error();
  rows = std::move(*found);
  return {};
}

}  // namespace

Result<void> Books::load_lease(State& state) {
  if (!state.inbox) return {};
  const auto& inbox = *state.inbox;
  if (auto loaded = into(state.connection, database_, "WHERE id = ?1", {inbox.connection_id}); !loaded) return loaded;
  if (auto loaded = fetch_all(state.chores, database_, chores_waiting, {inbox.id}); !loaded) return loaded;
  return fetch_all(state.suspects, database_, "WHERE inbox_id = ?1 ORDER BY uid LIMIT 1000", {inbox.id});
}

// Few, and asked for only when a person sets up a mailbox.
Result<void> Books::load_account_inboxes(const std::string& account, State& state) {
  std::vector<store::ConnectionRow> connections;
  if (auto loaded = fetch_all(connections, database_, "WHERE kind = 'imap' AND LOWER(account) = LOWER(?1)", {account}); !loaded) return loaded;
  for (const auto& connection : connections) {
    std::vector<store::MailInboxRow> inboxes;
    if (auto loaded = fetch_all(inboxes, database_, "WHERE connection_id = ?1", {connection.id}); !loaded) return loaded;
    for (auto& inbox : inboxes) state.account_inboxes.push_back({std::move(inbox), connection});
  }
  return {};
}

Result<void> Books::load_mailboxes(const Needs& needs, State& state) {
  Result<void> loaded;
  if (loaded && needs.inbox_id) loaded = into(state.inbox, database_, "WHERE id = ?1", {*needs.inbox_id});
  if (loaded && needs.inbox_name) loaded = into(state.inbox_named, database_, "WHERE name = ?1", {*needs.inbox_name});
  if (loaded && needs.inbox_references && state.inbox) {
    if (state.inbox->board_id && !needs.board_id) loaded = into(state.board, database_, "WHERE id = ?1", {*state.inbox->board_id});
    if (loaded && state.inbox->smtp_connection_id && !needs.smtp_connection_id) {
      loaded = into(state.smtp_asked, database_, "WHERE id = ?1", {*state.inbox->smtp_connection_id});
    }
  }
  if (loaded && needs.smtp_connection_id) loaded = into(state.smtp_asked, database_, "WHERE id = ?1", {*needs.smtp_connection_id});
  if (loaded && needs.connection_inboxes && needs.connection_id) {
    loaded = fetch_all(state.connection_inboxes, database_, "WHERE connection_id = ?1", {*needs.connection_id});
  }
  if (loaded && needs.lease) loaded = load_lease(state);
  if (loaded && needs.account_inboxes && state.connection) loaded = load_account_inboxes(needs.account.value_or(state.connection->account), state);
  for (const auto& id : needs.chore_ids) {
    std::optional<store::InboxChoreRow> chore;
    if (loaded) loaded = into(chore, database_, "WHERE id = ?1", {id});
    if (chore) state.reported_chores.push_back(std::move(*chore));
  }
  if (loaded && needs.inbox_usage && needs.inbox_id) {
    loaded = database_.query(mails_undecided, {*needs.inbox_id}, [&](const Row& row) { state.is_inbox_used = row.integer(0) != 0; });
  }
  return loaded;
}

// Each mail that waits for this recipient is shown the one whose hour it waits for: the first in the line the oldest, the next the second oldest, …,
// and when the line is longer, the same again an hour later. So one that is free again does not wake them all.
Result<void> Books::load_sent_mails(const store::DeliveryRow& mail, std::int64_t now, State& state) {
  std::vector<std::int64_t> times;
  auto asked = database_.query(mails_to_recipient, {mail.recipient, now - an_hour, now, mail.id}, [&](const Row& row) { times.push_back(row.integer(0)); });
  std::int64_t ahead = 0;
  if (asked && !times.empty()) {
    asked = database_.query(mails_ahead, {mail.recipient, mail.created_at, mail.id}, [&](const Row& row) { ahead = row.integer(0); });
  }
  if (!asked || times.empty()) return asked;
  const auto count = static_cast<std::int64_t>(times.size());
  state.sent_mails = {count, times[static_cast<std::size_t>(ahead % count)] + ahead / count * an_hour};
  return {};
}

Result<void> Books::load_mail_delivery(const Needs& needs, State& state) {
  const auto& mail = *state.delivery;
  if (auto loaded = into(state.mail_after, database_, mail_after, {mail.ticket_id, mail.destination_id, mail.recipient, mail.seq}); !loaded) return loaded;
  switch (mail.state) {
    case store::DeliveryState::waiting:
      if (auto loaded = into(state.mail_before, database_, mail_before, {mail.ticket_id, mail.destination_id, mail.recipient, mail.seq}); !loaded) return loaded;
      return load_sent_mails(mail, needs.now, state);
    case store::DeliveryState::dispatched:
    case store::DeliveryState::claimed:
      if (!state.ticket) return {};
      if (auto loaded = into(state.origin, database_, "WHERE arrival_id = ?1", {state.ticket->arrival_id}); !loaded) return loaded;
      return load_thread_ids(mail.ticket_id, state);
    case store::DeliveryState::standby: return state.ticket ? into(state.smtp, database_, ticket_smtp, {state.ticket->arrival_id}) : Result<void>{};
    default: return {};
  }
}

Result<void> Books::forget_mailbox(const std::string& id) {
  if (auto done = database_.execute("DELETE FROM inbox_chores WHERE inbox_id = ?1", {id}); !done) return done;
  return database_.execute("DELETE FROM inbox_suspects WHERE inbox_id = ?1", {id});
}

}  // namespace postroom::ledger
