#pragma once
// One mailbox, two boards, and mails on their way. Decisions are carried out on the rows.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "tests/support/fakes.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

struct MailWorld {
  static constexpr std::int64_t second = 1'000'000;
  static inline const std::string arrival_id = crypto::uuid_v5("inbox", {"7", "11"});
  static inline const std::string promised = crypto::uuid_v5(arrival_id, {"ticket"});

  fakes::CountingIds ids;
  Config config;
  Context context{1'000'000 * second, 0, ids, [] { return 0.5; }, config};
  State state;
  Decision last;
  std::vector<store::HistoryRow> history;
  std::vector<store::CommentRow> comments;
  std::vector<store::AttachmentRow> attachments;
  std::vector<store::InboxChoreRow> chores;
  std::vector<store::MailThreadRow> threads;
  std::vector<store::ParticipantRow> participants;
  std::vector<store::DeliveryRow> deliveries;
  std::map<std::string, std::int64_t> counters;

  MailWorld() {
    config.installation.id = "11111111-1111-4111-8111-111111111111";
    store::MailInboxRow mailbox;
    mailbox.id = "inbox";
    mailbox.name = "Support";
    mailbox.address = "support@example.com";
    mailbox.folder = "INBOX";
    mailbox.uid_validity = 7;
    mailbox.last_uid = 10;
    mailbox.created_at = context.now - 1'000 * second;
    state.mailbox = mailbox;
    state.settings.id = 1;
    state.settings.is_confirming = state.settings.is_telling_states = true;
    state.last_ticket_number = 41;
    auto boards = std::make_shared<Boards>();
    add_board(*boards, "desk", "Desk", {"printer"});
    add_board(*boards, "shop", "Shop", {"order"});
    add_board(*boards, "old", "Old", {"fax"});
    boards->rows.back().state = messages::BoardState::archived;
    boards->routed.back().is_active = false;
    state.boards = boards;
  }

  static void add_board(Boards& boards, std::string id, std::string name, std::vector<std::string> keywords) {
    store::BoardRow row;
    row.id = id;
    row.name = name;
    boards.rows.push_back(row);
    boards.routed.push_back({std::move(id), std::move(name), true, std::move(keywords)});
  }

  template <class R>
  static void put(std::optional<R>& slot, const Change& change) {
    if (const auto* after = std::get_if<R>(&change.after); after != nullptr && change.kind != Change::Kind::remove) slot = *after;
  }
  template <class R>
  static void add(std::vector<R>& list, const Change& change) {
    if (const auto* after = std::get_if<R>(&change.after); after != nullptr && change.kind != Change::Kind::update) list.push_back(*after);
  }

  const Decision& carry_out(Decision decision) {
    for (const auto& change : decision.changes) {
      put(state.mail, change);
      put(state.mailbox, change);
      put(state.arrival, change);
      put(state.item, change);
      put(state.ticket, change);
      put(state.bounced, change);
      add(history, change);
      add(comments, change);
      add(attachments, change);
      add(chores, change);
      add(threads, change);
      add(participants, change);
      add(deliveries, change);
    }
    for (const auto& [name, by] : decision.counted) counters[name] += by;
    last = std::move(decision);
    check_balance();
    return last;
  }

  // Accepted is the sum of all ends.
  void check_balance() {
    std::int64_t sum = 0;
    for (const auto& [name, value] : counters) sum += name.starts_with("arrivals_") && name != "arrivals_accepted" ? value : 0;
    CHECK(counters["arrivals_accepted"] == sum);
    if (state.arrival) CHECK(counters["arrivals_" + std::string{messages::name_of(state.arrival->state)}] >= 1);
  }

  // --- a mail comes in ---
  static messages::MailArrived mail(std::int64_t uid = 11, std::int64_t previous = 10, std::int64_t validity = 7) {
    messages::MailArrived message;
    message.inbox_id = "inbox";
    message.ticket_id = promised;
    message.uid_validity = validity;
    message.uid = uid;
    message.previous_uid = previous;
    message.blob = messages::BlobRef{std::string(64, 'a'), 1'234};
    message.stated_size = 1'234;
    message.received_at_us = 999'000 * second;
    return message;
  }
  const Decision& arrive(const messages::MailArrived& message, std::int64_t retry = 0, std::string assigned_board = {}) {
    messages::Envelope envelope;
    envelope.message_id = envelope.correlation_id = arrival_id;
    envelope.type = messages::MailArrived::type;
    envelope.user_id = retry > 0 ? "ledger" : "imap_poller";
    envelope.original_user_id = retry > 0 ? "imap_poller" : "";
    envelope.retry = retry;
    envelope.assigned_board = std::move(assigned_board);
    envelope.timestamp = from_micros(context.now - second);
    const std::string body = codec::encode(message);
    return carry_out(decide(state, message, Incoming{envelope, "cmd", "intake", "ledger.intake", "", body}, context));
  }
  // As an operator would: the item is on its way again. What comes back is what was shelved.
  void retry(std::string assigned_board = {}) {
    REQUIRE(state.item.has_value());
    state.item->state = messages::StandbyState::retry_pending;
    ++state.item->retry_no;
    state.pending_item = state.item;
    auto original = codec::decode<messages::MailArrived>(state.item->original);
    REQUIRE(original.ok());
    arrive(*original, state.item->retry_no, std::move(assigned_board));
    state.pending_item.reset();
  }

  // --- and is read ---
  void hand_out() { carry_out(decide_parse(state, context)); }
  static messages::ParsedMail letter(std::string subject = "My printer smokes") {
    messages::ParsedMail parsed;
    parsed.title = parsed.subject = std::move(subject);
    parsed.sender_address = "ann@customer.example";
    parsed.sender_name = "Ann";
    parsed.message_id = "m1@customer.example";
    parsed.text = "It smokes.\n> Does it?";
    parsed.reply_text = "It smokes.";
    parsed.may_be_confirmed = true;
    parsed.sender_subject_key = "sender and subject";
    parsed.content_key = "content";
    return parsed;
  }
  const Decision& parsed(std::optional<messages::ParsedMail> found, std::string trouble = {}, std::optional<std::int64_t> parse_no = {},
                         std::optional<messages::CrudeHeader> header = {}) {
    messages::MailParsed message;
    message.arrival_id = arrival_id;
    message.parse_no = parse_no.value_or(state.mail ? state.mail->parse_no : 1);
    message.mail = std::move(found);
    message.trouble = std::move(trouble);
    message.header = std::move(header);
    messages::Envelope envelope;
    envelope.message_id = "00000000-0000-4000-8000-000000000001";
    envelope.type = messages::MailParsed::type;
    const std::string body = codec::encode(message);
    return carry_out(decide(state, message, Incoming{envelope, "result", "result", "ledger.results", "", body}, context));
  }
  // All the way, with what the router found.
  const Decision& read(const messages::ParsedMail& found) {
    if (!state.mail) arrive(mail());
    hand_out();
    return parsed(found);
  }

  // --- what the records would tell ---
  store::TicketRow known_ticket(messages::TicketState ticket_state = messages::TicketState::in_progress) {
    store::TicketRow ticket;
    ticket.id = "ticket";
    ticket.number = 7;
    ticket.board_id = "desk";
    ticket.correlation_id = "first";
    ticket.creator_email = "ann@customer.example";
    ticket.state = ticket_state;
    ticket.version = 3;
    return ticket;
  }
  void answers(FoundThread::By by, bool is_participant, messages::TicketState ticket_state = messages::TicketState::in_progress) {
    state.thread = FoundThread{known_ticket(ticket_state), by, is_participant};
  }
  store::MailRow other_mail(std::string id = "other") {
    store::MailRow other;
    other.arrival_id = std::move(id);
    other.inbox_id = "inbox";
    other.uid_validity = 7;
    other.uid = 3;
    other.ticket_id = "ticket";
    return other;
  }

  const store::HistoryRow* noted(std::string_view action) const {
    const auto found = std::ranges::find(history, action, &store::HistoryRow::action);
    return found == history.end() ? nullptr : &*found;
  }
};

}  // namespace postroom::ledger
