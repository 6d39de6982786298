#pragma once
// What the front door may ask of the state: short, indexed reads. One implementation per database; an instance belongs to one thread.
// Every answer is a Result: timeout (longer than allowed), unavailable (locked), io, not_found only where said.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/store/rows.hpp"

namespace postroom::store {

// Where a page starts. `cursor` is the `next` of the page before (opaque, URL-safe), or empty. limit is 1…200.
struct PageRequest {
  std::int64_t limit = 50;
  std::string cursor;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next;  // none: this was the last page
};

// A ticket with what became of it outside.
struct TicketView {
  TicketRow ticket;
  std::optional<DeliveryRow> delivery;           // the newest
  std::optional<ExternalTicketRow> external;     // linked
};

struct TicketFilter {
  std::optional<std::string> board_id;
  std::optional<messages::TicketState> state;
};

// Something that came in, with its item on the shelf, and of a mail what is known of it.
struct ArrivalView {
  ArrivalRow arrival;
  std::optional<StandbyRow> standby;  // without `original`
  std::optional<MailRow> mail;
};

// verdict: as in mails.verdict; empty text: not decided yet.
struct ArrivalFilter {
  std::optional<std::string> inbox_id;
  std::optional<std::string> verdict;
};

// What became of the mails of an inbox under its UIDVALIDITY, counted by rows, beside what the server told.
struct InboxReport {
  MailInboxRow inbox;
  std::int64_t ticket = 0, reply = 0, duplicate = 0, bounce = 0, own = 0, standby = 0, deleted = 0, pending = 0;
  std::int64_t removed = 0;  // taken from the server's folder by us, after their import
  std::int64_t total() const { return ticket + reply + duplicate + bounce + own + standby + deleted + pending; }
  // Only counts are compared: the server says how many mails there are, not which. So mails that somebody else took away hide as many that
  // are missing, and `missing` is what is missing at least.
  bool is_known() const { return inbox.server_at > 0; }  // the server was asked once
  std::int64_t missing() const { return std::max<std::int64_t>(0, difference()); }  // on the server, and not taken
  std::int64_t gone() const { return std::max<std::int64_t>(0, -difference()); }    // taken, and taken away from the server by somebody else

 private:
  std::int64_t difference() const { return is_known() ? inbox.server_exists + removed - inbox.server_older - total() : 0; }
};

// A mail that we send: a delivery of kind mail.
struct NoticeView {
  DeliveryRow delivery;
  std::optional<std::string> message_id;  // once it was sent, or may have been
};

struct StandbyQuery {
  std::vector<messages::StandbyState> states{messages::StandbyState::open, messages::StandbyState::assigned, messages::StandbyState::retry_pending};
  messages::StandbyFilter filter;
};

// What a person knows an item by. Empty text: nobody knows.
struct StandbyFace {
  std::string from;   // who wrote: a mail's sender, else the ticket's creator
  std::string title;  // a mail's subject, else the ticket's title
};

struct StandbyView {
  StandbyRow item;
  std::vector<HistoryRow> history;
  std::optional<MailRow> mail;  // of an arrival by mail
};

// Accepted is counted by a maintained counter; the rest by counting rows, so that the two can contradict each other.
struct Balance {
  std::int64_t accepted = 0;
  std::int64_t opened = 0;
  std::int64_t standby = 0;
  std::int64_t deleted = 0;
  std::int64_t received = 0, reply = 0, duplicate = 0, bounce = 0, own = 0;  // of mails
  std::int64_t waiting = 0, dispatched = 0, claimed = 0, deliveries_standby = 0, done = 0, cancelled = 0;
  struct Deliveries {
    std::string kind;  // create | mail
    std::int64_t waiting = 0, dispatched = 0, claimed = 0, standby = 0, done = 0, cancelled = 0;
    std::int64_t assumed_sent = 0;  // among those done
  };
  std::vector<Deliveries> by_kind;
};

// The whole life of one thing: everything under its correlation id, and all of its ticket.
struct Trace {
  std::string asked;  // what the id named: ticket | delivery | external_ticket | comment | attachment | standby | arrival | command | correlation | message
  std::string correlation_id;
  std::optional<ArrivalRow> arrival;
  std::vector<TicketRow> tickets;
  std::vector<DeliveryRow> deliveries;
  std::vector<ExternalTicketRow> externals;
  std::vector<StandbyRow> standby;
  std::vector<MailRow> mails;  // the arrival's own, then the replies on its ticket
  std::vector<HistoryRow> history;
  std::vector<Trace> others;  // of what else has the Message-ID that was asked for: each ticket and each mail without one
};

class Reading {
 public:
  virtual ~Reading() = default;

  virtual Result<std::string> installation_name() = 0;  // empty when not set; a cheap "is it readable"

  virtual Result<std::optional<BoardRow>> board(std::string_view id) = 0;
  virtual Result<Page<BoardRow>> boards(const PageRequest& page) = 0;                 // by name
  virtual Result<std::optional<ConnectionRow>> connection(std::string_view id) = 0;
  virtual Result<Page<ConnectionRow>> connections(const PageRequest& page) = 0;       // by name

  virtual Result<std::optional<TicketView>> ticket(std::string_view id) = 0;
  virtual Result<Page<TicketView>> tickets(const TicketFilter& filter, const PageRequest& page) = 0;  // newest first
  virtual Result<std::optional<ArrivalView>> arrival_by_ticket(std::string_view ticket_id) = 0;
  // Of a ticket id or a correlation id, oldest first, at most `limit`.
  virtual Result<std::vector<HistoryRow>> timeline(std::string_view id, std::int64_t limit = 1'000) = 0;

  virtual Result<Page<ExternalTicketRow>> external_tickets(std::string_view board_id, const PageRequest& page) = 0;  // newest first
  virtual Result<std::optional<ExternalTicketRow>> external_ticket(std::string_view id) = 0;

  virtual Result<Page<StandbyRow>> standby(const StandbyQuery& query, const PageRequest& page) = 0;  // oldest first; `original` left empty
  virtual Result<std::optional<StandbyView>> standby_item(std::string_view id) = 0;
  // From the item's mail or ticket; of what became neither, nothing: its original may tell.
  virtual Result<StandbyFace> standby_face(const StandbyRow& item) = 0;

  virtual Result<std::optional<InboxRow>> command(std::string_view id) = 0;  // status 202: still running
  virtual Result<Balance> balance() = 0;
  virtual Result<std::optional<Trace>> trace(std::string_view any_id) = 0;
  // By a Message-ID without angle brackets, of mails that came in or that we sent; at most 50, the first of them first.
  virtual Result<std::optional<Trace>> trace_message(std::string_view message_id) = 0;

  virtual Result<std::optional<MailInboxRow>> inbox(std::string_view id) = 0;
  virtual Result<Page<MailInboxRow>> inboxes(const PageRequest& page) = 0;  // by name
  virtual Result<std::optional<InboxReport>> inbox_report(std::string_view id) = 0;
  virtual Result<SettingsRow> settings() = 0;

  virtual Result<std::optional<ArrivalView>> arrival(std::string_view id) = 0;
  // Mails: of one inbox the last fetched first, else the last received first.
  virtual Result<Page<ArrivalView>> mail_arrivals(const ArrivalFilter& filter, const PageRequest& page) = 0;
  virtual Result<Page<CommentRow>> comments(std::string_view ticket_id, const PageRequest& page) = 0;        // oldest first
  virtual Result<Page<AttachmentRow>> attachments(std::string_view ticket_id, const PageRequest& page) = 0;  // oldest first
  virtual Result<std::optional<AttachmentRow>> attachment(std::string_view id) = 0;
  virtual Result<Page<NoticeView>> notices(std::string_view ticket_id, const PageRequest& page) = 0;  // oldest first
};

// not_found while the file is not there yet.
Result<std::unique_ptr<Reading>> open_reading(const std::filesystem::path& database, std::chrono::milliseconds longest = std::chrono::seconds{1});

}  // namespace postroom::store
