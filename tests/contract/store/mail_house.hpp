#pragma once

// A store with mails and what hangs on them, and what reads it.

#include <doctest/doctest.h>

#include "common/store/reading.hpp"
#include "common/store/table.hpp"
#include "common/store/views.hpp"
#include "tests/support/scratch.hpp"

namespace postroom::store {

struct House {
  fakes::ScratchFolder folder;
  std::unique_ptr<Database> writer = fakes::new_database(folder.path() / "db");
  std::unique_ptr<Reading> reading = [this] {
    auto opened = open_reading(folder.path() / "db");
    REQUIRE(opened.ok());
    return std::move(*opened);
  }();

  template <class Row>
  void keep(const Row& row) {
    const auto done = insert(*writer, row);
    if (!done) FAIL(done.error().text());
  }

  void board(std::string id) {
    BoardRow row;
    row.id = row.name = std::move(id);
    row.keywords = "[]";
    row.target = "{}";
    keep(row);
  }
  void inbox(std::string id, std::int64_t uid_validity = 7) {
    if (!has_connection_) {
      ConnectionRow connection;
      connection.id = connection.name = "mailbox";
      connection.kind = messages::ConnectionKind::imap;
      keep(connection);
      has_connection_ = true;
    }
    MailInboxRow row;
    row.id = row.name = row.folder = std::move(id);
    row.connection_id = "mailbox";
    row.uid_validity = uid_validity;
    row.server_exists = 10;
    row.server_older = 1;
    row.server_at = 1;
    keep(row);
  }
  void mail(std::string id, std::string inbox, std::int64_t uid, std::string verdict, ArrivalState state, std::int64_t uid_validity = 7) {
    ArrivalRow arrival;
    arrival.id = arrival.correlation_id = id;
    arrival.kind = "mail";
    arrival.natural_key = inbox + "/" + std::to_string(uid_validity) + "/" + std::to_string(uid);
    arrival.ticket_id = "ticket-of-" + id;
    arrival.state = state;
    arrival.accepted_at = 1'000 + uid;
    keep(arrival);
    MailRow row;
    row.arrival_id = std::move(id);
    row.inbox_id = std::move(inbox);
    row.uid_validity = uid_validity;
    row.uid = uid;
    row.received_at = 500 + uid;
    row.verdict = std::move(verdict);
    row.message_id = row.arrival_id + "@example.org";
    keep(row);
  }
  void ticket(std::string id, std::string arrival, std::int64_t number) {
    TicketRow row;
    row.id = std::move(id);
    row.number = number;
    row.board_id = "board";
    row.arrival_id = row.correlation_id = std::move(arrival);
    keep(row);
  }
  void note(std::string id, std::string correlation, std::optional<std::string> ticket, std::int64_t at) {
    HistoryRow row;
    row.id = row.action = std::move(id);
    row.correlation_id = std::move(correlation);
    row.ticket_id = std::move(ticket);
    row.at = at;
    row.detail = "{}";
    keep(row);
  }
  void delivery(std::string id, std::string ticket, std::string kind, std::string cause, std::int64_t created_at, DeliveryState state = DeliveryState::done) {
    DeliveryRow row;
    row.id = std::move(id);
    row.ticket_id = std::move(ticket);
    row.kind = std::move(kind);
    row.cause = std::move(cause);
    row.created_at = created_at;
    row.state = state;
    keep(row);
  }

 private:
  bool has_connection_ = false;
};

}  // namespace postroom::store
