#pragma once
// What a decision asks to see (Needs), and what it is shown (State). The loader follows the references: a delivery comes with its ticket, board,
// connection, destination, item and objects; an item with its subject.

#include <optional>
#include <string>
#include <vector>

#include "common/messages/standby.hpp"
#include "common/store/rows.hpp"

namespace postroom::ledger {

using OptionalId = std::optional<std::string>;

struct Needs {
  OptionalId board_id;
  OptionalId board_name;
  OptionalId connection_id;       // with its destination
  OptionalId connection_name;
  OptionalId arrival_id;          // with its item and ticket
  OptionalId ticket_id;
  OptionalId delivery_id;
  OptionalId standby_id;
  OptionalId subject_id;          // items of this subject: the pending one, and how often it was replayed
  OptionalId remote_id;           // who owns this object of the delivery's connection
  OptionalId test_id;
  std::optional<messages::StandbyFilter> filter;  // how many open items match
  bool board_usage = false;
  bool connection_usage = false;
  bool ticket_number = false;
};

struct State {
  std::optional<store::BoardRow> board;             // asked for, or the delivery's ticket's
  std::optional<store::BoardRow> board_named;
  std::optional<store::ConnectionRow> connection;
  std::optional<store::DestinationRow> destination;
  std::optional<store::ConnectionRow> connection_named;
  std::optional<store::ArrivalRow> arrival;
  std::optional<store::TicketRow> ticket;
  std::optional<store::DeliveryRow> delivery;
  std::optional<store::StandbyRow> item;            // asked for, or the delivery's or arrival's
  std::optional<store::StandbyRow> pending_item;    // of the subject, waiting for a replay
  std::int64_t subject_retries = 0;                 // highest replay number of the subject
  std::vector<store::ExternalTicketRow> externals;  // made by the delivery
  std::optional<store::ExternalTicketRow> remote_owner;
  std::optional<store::RemoteMarkRow> mark;         // of the delivery's connection, for the Jira project of its target
  std::optional<store::ConnectionTestRow> test;
  std::optional<store::InboxRow> test_command;
  std::int64_t matching_items = 0;
  bool is_board_used = false;
  bool is_connection_used = false;
  std::int64_t last_ticket_number = 0;
};

}  // namespace postroom::ledger
