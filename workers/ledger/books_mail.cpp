// What decisions about mail see: the mail with its mailbox, where it belongs, and what a notice hangs on. Each lookup is a seek in an index,
// however often a sender uses one id; boards and our own addresses are read once and remembered until one of them changes.

#include <algorithm>

#include "common/codec/codec.hpp"
#include "common/mail/address.hpp"
#include "common/store/table.hpp"
#include "workers/ledger/books.hpp"
#include "workers/ledger/decide/notices.hpp"
#include "workers/ledger/loading.hpp"

namespace postroom::ledger {

using store::Row;
using store::Value;

namespace {

constexpr std::int64_t an_hour = 3'600'000'000;  // microseconds
constexpr std::size_t most_thread_ids = 50;
constexpr std::int64_t most_same_ids = 50;  // tickets that are looked at for one Message-ID
constexpr std::int64_t most_recent = 1'000;  // mails to one recipient that are counted

// Of the same mailbox, and being read, or put off until they can be decided. The long line behind them is not looked at.
constexpr std::string_view mails_before =
    "SELECT message_id FROM mails WHERE stage = 'parsing' AND stage <> 'decided' AND due_at >= 0 AND inbox_id = ?1 AND uid_validity = ?2 AND uid < ?3 "
    "UNION ALL SELECT message_id FROM mails WHERE stage = 'waiting' AND stage <> 'decided' AND due_at > ?4 AND message_id <> '' "
    "AND inbox_id = ?1 AND uid_validity = ?2 AND uid < ?3";

std::vector<std::string> keywords_of(const store::BoardRow& board) {
  auto keywords = codec::decode<messages::StoredKeywords>(fmt::format(R"({{"keywords":{}}})", board.keywords));
  return keywords ? std::move(keywords->keywords) : std::vector<std::string>{};
}

}  // namespace

Result<void> Books::load_settings(State& state) {
  auto row = store::select_one<store::SettingsRow>(database_, "WHERE id = 1", {});
  if (!row) return row.error();
  if (*row) state.settings = std::move(**row);
  return {};
}

Result<void> Books::load_own_addresses(State& state) {
  if (!own_addresses_) {
    std::vector<std::string> addresses;
    auto asked = database_.query("SELECT address FROM inboxes UNION SELECT sender_address FROM settings WHERE sender_address IS NOT NULL", {},
                                 [&](const Row& row) { addresses.push_back(mail::canonical_address(row.text(0))); });
    if (!asked) return asked;
    state.own_addresses = std::move(addresses);
    if (!is_changing_) own_addresses_ = state.own_addresses;
    return {};
  }
  state.own_addresses = *own_addresses_;
  return {};
}

Result<void> Books::load_boards(State& state) {
  if (!boards_) {
    auto rows = store::select<store::BoardRow>(database_, "ORDER BY created_at, id", {});
    if (!rows) return rows.error();
    auto boards = std::make_shared<Boards>();
    for (const auto& row : *rows) boards->routed.push_back({row.id, row.name, row.state == messages::BoardState::active, keywords_of(row)});
    boards->rows = std::move(*rows);
    state.boards = std::move(boards);
    if (!is_changing_) boards_ = state.boards;
    return {};
  }
  state.boards = boards_;
  return {};
}

Result<bool> Books::is_participant(const std::string& ticket_id, const std::string& address) {
  bool is_one = false;
  if (address.empty()) return is_one;
  auto asked = database_.query("SELECT 1 FROM participants WHERE ticket_id = ?1 AND address = ?2", {ticket_id, address}, [&](const Row&) { is_one = true; });
  if (!asked) return asked.error();
  return is_one;
}

// Anybody can use a Message-ID again. Of several tickets with one, the newest that the sender takes part in, in the same mailbox first; when the sender
// takes part in none it is none of them.
Result<std::optional<store::TicketRow>> Books::ticket_of_message(const std::string& message_id, const std::string& inbox_id, const std::string& sender) {
  std::vector<std::string> candidates;
  bool is_theirs = false;
  auto asked = database_.query(
      "SELECT t.ticket_id, EXISTS (SELECT 1 FROM participants p WHERE p.ticket_id = t.ticket_id AND p.address = ?2 AND p.address <> '') "
      "FROM mail_threads t WHERE t.message_id = ?1 ORDER BY t.at DESC LIMIT ?3",
      {message_id, sender, most_same_ids}, [&](const Row& row) {
        const bool is_participant = row.integer(1) != 0;
        if (is_participant && !is_theirs) candidates.clear();
        if (is_participant || !is_theirs) candidates.push_back(row.text(0));
        is_theirs = is_theirs || is_participant;
      });
  if (!asked) return asked.error();
  if (candidates.empty() || (!is_theirs && candidates.size() > 1)) return std::optional<store::TicketRow>{};
  std::optional<std::string> chosen;
  for (const auto& candidate : candidates) {
    if (chosen || candidates.size() == 1) break;
    asked = database_.query("SELECT 1 FROM tickets JOIN mails ON mails.arrival_id = tickets.arrival_id WHERE tickets.id = ?1 AND mails.inbox_id = ?2", {candidate, inbox_id},
                            [&](const Row&) { chosen = candidate; });
    if (!asked) return asked.error();
  }
  return store::select_one<store::TicketRow>(database_, "WHERE id = ?1", {chosen.value_or(candidates.front())});
}

Result<void> Books::find_thread(const MailTrace& trace, State& state) {
  const auto found = [&](std::optional<store::TicketRow> ticket, FoundThread::By by, bool is_known_recipient) -> Result<void> {
    if (!ticket) return {};
    auto is_one = is_participant(ticket->id, trace.sender_address);
    if (!is_one) return is_one.error();
    state.thread = FoundThread{std::move(*ticket), by, *is_one || is_known_recipient};
    return {};
  };
  if (trace.thread) {
    std::optional<store::DeliveryRow> delivery;
    auto loaded = into(delivery, database_, "WHERE id = ?1 AND ticket_id = ?2", {trace.thread->delivery_id, trace.thread->ticket_id});
    if (!loaded) return loaded;
    if (delivery) {
      auto ticket = store::select_one<store::TicketRow>(database_, "WHERE id = ?1", {delivery->ticket_id});
      if (!ticket) return ticket.error();
      const bool is_recipient = !trace.sender_address.empty() && delivery->recipient == trace.sender_address;
      if (auto done = found(std::move(*ticket), FoundThread::By::signed_id, is_recipient); !done || state.thread) return done;
    }
  }
  for (const auto& id : trace.answered) {
    auto ticket = ticket_of_message(id, state.mail->inbox_id, trace.sender_address);
    if (!ticket) return ticket.error();
    if (auto done = found(std::move(*ticket), FoundThread::By::references, false); !done || state.thread) return done;
  }
  if (!trace.subject_number) return {};
  auto ticket = store::select_one<store::TicketRow>(database_, "WHERE number = ?1", {*trace.subject_number});
  if (!ticket) return ticket.error();
  return found(std::move(*ticket), FoundThread::By::subject_number, false);
}

Result<void> Books::find_same_mails(const MailTrace& trace, State& state) {
  const auto& mail = *state.mail;
  Result<void> loaded;
  if (!trace.message_id.empty() && !trace.content_key.empty()) {
    loaded = into(state.same_content, database_, "WHERE message_id = ?1 AND content_key = ?2 AND inbox_id = ?3 AND arrival_id <> ?4 LIMIT 1",
                  {trace.message_id, trace.content_key, mail.inbox_id, mail.arrival_id});
    if (loaded) {
      loaded = into(state.same_content, database_, "WHERE message_id = ?1 AND content_key = ?2 AND arrival_id <> ?3 LIMIT 1",
                    {trace.message_id, trace.content_key, mail.arrival_id});
    }
    // Keys are empty until a mail became part of a ticket, and empty ones sort first.
    if (loaded) {
      loaded = into(state.same_message_id, database_, "WHERE message_id = ?1 AND content_key > '' AND content_key <> ?2 LIMIT 1", {trace.message_id, trace.content_key});
    }
    if (!loaded) return loaded;
  }
  const std::int64_t threshold = state.mailbox ? micros(std::chrono::milliseconds{state.mailbox->duplicate_ms}) : 0;
  if (threshold <= 0 || trace.sender_address.empty() || trace.sender_subject_key.empty()) return {};
  return into(state.same_sender_subject, database_,
              "WHERE inbox_id = ?1 AND sender_subject_key = ?2 AND received_at >= ?3 AND received_at <= ?4 AND arrival_id <> ?5 ORDER BY received_at DESC LIMIT 1",
              {mail.inbox_id, trace.sender_subject_key, mail.received_at - threshold, mail.received_at + threshold, mail.arrival_id});
}

// Two routers may tell of an answer before they tell of what it answers. Message-IDs of mails that are read for the first time are not known.
Result<void> Books::find_undecided(const MailTrace& trace, std::int64_t now, State& state) {
  if (state.thread || trace.answered.empty()) return {};
  const auto& mail = *state.mail;
  return database_.query(mails_before, {mail.inbox_id, mail.uid_validity, mail.uid, now}, [&](const Row& row) {
    const std::string message_id = row.text(0);
    const bool is_it = message_id.empty() || std::ranges::find(trace.answered, message_id) != trace.answered.end();
    state.may_answer_undecided = state.may_answer_undecided || is_it;
  });
}

Result<void> Books::find_bounced(const MailTrace& trace, State& state) {
  if (!trace.bounced_delivery) return {};
  if (auto loaded = into(state.bounced, database_, "WHERE id = ?1 AND kind = ?2", {*trace.bounced_delivery, mail_kind}); !loaded) return loaded;
  return state.bounced ? into(state.bounced_ticket, database_, "WHERE id = ?1", {state.bounced->ticket_id}) : Result<void>{};
}

Result<void> Books::load_mail(const Needs& needs, State& state) {
  if (needs.mail_id) {
    if (auto loaded = into(state.mail, database_, "WHERE arrival_id = ?1", {*needs.mail_id}); !loaded) return loaded;
  }
  const OptionalId mailbox_id = state.mail ? std::optional{state.mail->inbox_id} : needs.mailbox_id;
  if (mailbox_id) {
    if (auto loaded = into(state.mailbox, database_, "WHERE id = ?1", {*mailbox_id}); !loaded) return loaded;
  }
  if (!state.mail && needs.mailbox_id && !needs.mail_blob.empty()) {
    auto loaded = into(state.same_bytes, database_, "WHERE blob_sha256 = ?1 AND inbox_id = ?2 LIMIT 1", {needs.mail_blob, *needs.mailbox_id});
    if (!loaded) return loaded;
  }
  if (needs.boards) {
    if (auto loaded = load_boards(state); !loaded) return loaded;
  }
  // What was decided already needs no looking up.
  if (!needs.trace || !state.mail || state.mail->stage != store::MailStage::parsing) return {};
  if (auto loaded = load_boards(state); !loaded) return loaded;
  if (auto done = find_same_mails(*needs.trace, state); !done) return done;
  if (auto done = find_thread(*needs.trace, state); !done) return done;
  if (auto done = find_undecided(*needs.trace, needs.now, state); !done) return done;
  return find_bounced(*needs.trace, state);
}

Result<void> Books::load_thread_ids(const std::string& ticket_id, State& state) {
  auto asked = database_.query(
      "SELECT message_id FROM mail_threads WHERE ticket_id = ?1 ORDER BY at DESC LIMIT ?2", {ticket_id, static_cast<std::int64_t>(most_thread_ids)},
      [&](const Row& row) { state.thread_ids.push_back(row.text(0)); });
  std::ranges::reverse(state.thread_ids);
  const auto& first = state.origin ? state.origin->message_id : "";
  if (asked && !first.empty() && std::ranges::find(state.thread_ids, first) == state.thread_ids.end()) state.thread_ids.insert(state.thread_ids.begin(), first);
  return asked;
}

Result<void> Books::load_notice(const Needs& needs, State& state) {
  // Of a reply it is about the ticket that it answers; of any other mail about the ticket that it may become.
  const bool is_answer = state.thread && (state.thread->by != FoundThread::By::subject_number || state.thread->is_participant);
  const store::TicketRow* ticket = is_answer ? &state.thread->ticket : state.ticket ? &*state.ticket : nullptr;
  std::string recipient = needs.notice_recipient.value_or("");
  if (needs.trace) recipient = needs.trace->sender_address;
  if (ticket != nullptr) {
    recipient = mail::canonical_address(ticket->creator_email.value_or(""));
    if (auto loaded = into(state.origin, database_, "WHERE arrival_id = ?1", {ticket->arrival_id}); !loaded) return loaded;
    if (state.origin) {
      if (auto loaded = into(state.inbox, database_, "WHERE id = ?1", {state.origin->inbox_id}); !loaded) return loaded;
    }
    if (auto loaded = load_thread_ids(ticket->id, state); !loaded) return loaded;
    auto asked = database_.query("SELECT COALESCE(MAX(seq), 0) FROM deliveries WHERE ticket_id = ?1 AND kind = ?2", {ticket->id, mail_kind},
                                 [&](const Row& row) { state.last_mail_seq = row.integer(0); });
    if (!asked) return asked;
  } else if (needs.trace && !needs.trace->message_id.empty()) {
    state.thread_ids.push_back(needs.trace->message_id);
  }
  const auto& inbox = state.inbox ? state.inbox : state.mailbox;
  for (const auto& connection_id : {inbox ? inbox->smtp_connection_id : std::nullopt, state.settings.smtp_connection_id}) {
    if (!connection_id) continue;
    if (auto loaded = into(state.smtp, database_, "WHERE id = ?1", {*connection_id}); !loaded) return loaded;
  }
  if (recipient.empty()) return {};
  return database_.query(
      "SELECT COUNT(*), COALESCE(MIN(at), 0) FROM (SELECT created_at AS at FROM deliveries WHERE recipient = ?1 AND recipient <> '' AND created_at > ?2 "
      "ORDER BY created_at DESC LIMIT ?3) AS recent",
      {recipient, needs.now - an_hour, most_recent}, [&](const Row& row) { state.recent_mails = {row.integer(0), row.integer(1)}; });
}

Result<void> Books::load_doors(const Needs& needs, State& state) {
  if (needs.settings || needs.notice) {
    if (auto loaded = load_settings(state); !loaded) return loaded;
  }
  if (needs.own_addresses || needs.notice) {
    if (auto loaded = load_own_addresses(state); !loaded) return loaded;
  }
  if (auto loaded = load_mail(needs, state); !loaded) return loaded;
  return needs.notice ? load_notice(needs, state) : Result<void>{};
}

// What a transaction changed is read anew until it is committed: it may be rolled back.
void Books::forget(const Change& change) {
  const auto& row = change.kind == Change::Kind::remove ? change.before : change.after;
  if (std::holds_alternative<store::BoardRow>(row)) {
    boards_.reset();
    is_changing_ = true;
  }
  const auto* before = std::get_if<store::MailInboxRow>(&change.before);
  const auto* after = std::get_if<store::MailInboxRow>(&change.after);
  const bool is_same_inbox = before != nullptr && after != nullptr && before->address == after->address;
  const bool is_inbox = std::holds_alternative<store::MailInboxRow>(row);
  if ((is_inbox && !is_same_inbox) || std::holds_alternative<store::SettingsRow>(row)) {
    own_addresses_.reset();
    is_changing_ = true;
  }
}

}  // namespace postroom::ledger
