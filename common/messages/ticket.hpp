#pragma once
// ticket.open.v1, ticket.change_state.v1, ticket.comment.v1 (api → ledger), ticket.changed.v1 (ledger → whoever listens).

#include <cstdint>

#include "common/messages/describe.hpp"

namespace postroom::messages {

enum class TicketState { fresh, assigned, in_progress, on_hold, resolved, closed, reopened };
template <>
inline constexpr std::array enum_names<TicketState>{
    std::pair{TicketState::fresh, std::string_view{"new"}},
    std::pair{TicketState::assigned, std::string_view{"assigned"}},
    std::pair{TicketState::in_progress, std::string_view{"in_progress"}},
    std::pair{TicketState::on_hold, std::string_view{"on_hold"}},
    std::pair{TicketState::resolved, std::string_view{"resolved"}},
    std::pair{TicketState::closed, std::string_view{"closed"}},
    std::pair{TicketState::reopened, std::string_view{"reopened"}}};

enum class ArrivalKind { public_form, api };
template <>
inline constexpr std::array enum_names<ArrivalKind>{std::pair{ArrivalKind::public_form, std::string_view{"public"}},
                                                    std::pair{ArrivalKind::api, std::string_view{"api"}}};

// A ticket came in by HTTP. message_id = command id, also the arrival's id and the correlation id.
struct TicketOpen {
  static constexpr std::string_view type = "ticket.open.v1";
  std::string ticket_id;  // promised to the caller: UUIDv5(command id)
  std::string board_id;
  ArrivalKind arrival = ArrivalKind::api;
  std::string actor;      // principal's name; "public" for a public form
  std::string title;
  std::string description;
  std::optional<std::string> creator_email;
  std::optional<std::string> creator_name;
  std::optional<std::string> priority;  // low | normal | high | urgent
  bool operator==(const TicketOpen&) const = default;
  static void describe(auto& self, auto&& field) {
    field("ticket_id", self.ticket_id);
    field("board_id", self.board_id);
    field("arrival", self.arrival);
    field("actor", self.actor);
    field("title", self.title);
    field("description", self.description);
    field("creator_email", self.creator_email);
    field("creator_name", self.creator_name);
    field("priority", self.priority);
  }
};

struct TicketChangeState {
  static constexpr std::string_view type = "ticket.change_state.v1";
  std::string ticket_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;  // If-Match
  TicketState state = TicketState::fresh;
  std::optional<std::string> note;
  bool operator==(const TicketChangeState&) const = default;
  static void describe(auto& self, auto&& field) {
    field("ticket_id", self.ticket_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("state", self.state);
    field("note", self.note);
  }
};

// Something said on a ticket. A public one is mailed to the ticket's creator.
struct TicketComment {
  static constexpr std::string_view type = "ticket.comment.v1";
  std::string ticket_id;
  std::string comment_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  bool is_public = false;
  std::string text;
  bool operator==(const TicketComment&) const = default;
  static void describe(auto& self, auto&& field) {
    field("ticket_id", self.ticket_id);
    field("comment_id", self.comment_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("is_public", self.is_public);
    field("text", self.text);
  }
};

struct TicketChanged {
  static constexpr std::string_view type = "ticket.changed.v1";
  std::string ticket_id;
  std::string board_id;
  std::string change;  // opened | state | comment | delivered | shelved
  std::int64_t version = 0;
  TicketState state = TicketState::fresh;
  bool operator==(const TicketChanged&) const = default;
  static void describe(auto& self, auto&& field) {
    field("ticket_id", self.ticket_id);
    field("board_id", self.board_id);
    field("change", self.change);
    field("version", self.version);
    field("state", self.state);
  }
};

}  // namespace postroom::messages
