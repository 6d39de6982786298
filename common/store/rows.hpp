#pragma once
// The rows of schemas/sql as plain structs that name their columns once, key columns first. What the columns mean is told in the schema.

#include <cstdint>
#include <optional>
#include <string>

#include "common/messages/board.hpp"
#include "common/messages/standby.hpp"
#include "common/messages/ticket.hpp"
#include "common/messages/work.hpp"
#include "common/store/mail_rows.hpp"
#include "common/store/record_rows.hpp"
#include "common/store/states.hpp"

namespace postroom::store {

struct CounterRow {
  static constexpr std::string_view table = "counters";
  static constexpr int key_columns = 1;
  Text name;
  std::int64_t value = 0;
  bool operator==(const CounterRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("name", self.name);
    column("value", self.value);
  }
};

struct ConnectionRow {
  static constexpr std::string_view table = "connections";
  static constexpr int key_columns = 1;
  Text id;
  Text name;
  messages::ConnectionKind kind{};
  Text base_url;
  Text account;
  Text secret_sealed;
  ConnectionState state{};
  messages::ReasonClass reason_class{};
  Text reason;
  std::int64_t state_at = 0;
  bool is_paused = false;
  std::int64_t version = 0;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  bool operator==(const ConnectionRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("name", self.name);
    column("kind", self.kind);
    column("base_url", self.base_url);
    column("account", self.account);
    column("secret_sealed", self.secret_sealed);
    column("state", self.state);
    column("reason_class", self.reason_class);
    column("reason", self.reason);
    column("state_at", self.state_at);
    column("is_paused", self.is_paused);
    column("version", self.version);
    column("created_at", self.created_at);
    column("updated_at", self.updated_at);
  }
};

struct DestinationRow {
  static constexpr std::string_view table = "destinations";
  static constexpr int key_columns = 1;
  Text id;
  Text worker;
  std::int64_t window_size = 0;
  std::int64_t in_flight = 0;
  Circuit circuit{};
  std::int64_t failures = 0;
  std::int64_t paused_until = 0;
  Text pause_reason;
  std::int64_t rate_per_second_milli = 0;
  std::int64_t tokens_milli = 0;
  std::int64_t tokens_at = 0;
  bool operator==(const DestinationRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("worker", self.worker);
    column("window_size", self.window_size);
    column("in_flight", self.in_flight);
    column("circuit", self.circuit);
    column("failures", self.failures);
    column("paused_until", self.paused_until);
    column("pause_reason", self.pause_reason);
    column("rate_per_second_milli", self.rate_per_second_milli);
    column("tokens_milli", self.tokens_milli);
    column("tokens_at", self.tokens_at);
  }
};

struct BoardRow {
  static constexpr std::string_view table = "boards";
  static constexpr int key_columns = 1;
  Text id;
  Text name;
  messages::BoardState state{};
  bool is_public = false;
  Text keywords;
  messages::TargetKind target_kind{};
  OptionalText connection_id;
  Text target;
  std::int64_t version = 0;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  bool operator==(const BoardRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("name", self.name);
    column("state", self.state);
    column("is_public", self.is_public);
    column("keywords", self.keywords);
    column("target_kind", self.target_kind);
    column("connection_id", self.connection_id);
    column("target", self.target);
    column("version", self.version);
    column("created_at", self.created_at);
    column("updated_at", self.updated_at);
  }
};

struct ArrivalRow {
  static constexpr std::string_view table = "arrivals";
  static constexpr int key_columns = 1;
  Text id;
  Text kind;
  Text natural_key;
  Text correlation_id;
  Text ticket_id;
  OptionalText board_id;
  ArrivalState state{};
  OptionalText standby_id;
  Text actor;
  std::int64_t accepted_at = 0;
  std::int64_t decided_at = 0;
  bool operator==(const ArrivalRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("kind", self.kind);
    column("natural_key", self.natural_key);
    column("correlation_id", self.correlation_id);
    column("ticket_id", self.ticket_id);
    column("board_id", self.board_id);
    column("state", self.state);
    column("standby_id", self.standby_id);
    column("actor", self.actor);
    column("accepted_at", self.accepted_at);
    column("decided_at", self.decided_at);
  }
};

struct TicketRow {
  static constexpr std::string_view table = "tickets";
  static constexpr int key_columns = 1;
  Text id;
  std::int64_t number = 0;
  Text board_id;
  Text arrival_id;
  Text correlation_id;
  Text title;
  Text description;
  OptionalText creator_email;
  OptionalText creator_name;
  Text priority;
  messages::TicketState state{};
  std::int64_t version = 0;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  bool operator==(const TicketRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("number", self.number);
    column("board_id", self.board_id);
    column("arrival_id", self.arrival_id);
    column("correlation_id", self.correlation_id);
    column("title", self.title);
    column("description", self.description);
    column("creator_email", self.creator_email);
    column("creator_name", self.creator_name);
    column("priority", self.priority);
    column("state", self.state);
    column("version", self.version);
    column("created_at", self.created_at);
    column("updated_at", self.updated_at);
  }
};

struct DeliveryRow {
  static constexpr std::string_view table = "deliveries";
  static constexpr int key_columns = 1;
  Text id;
  Text ticket_id;
  Text board_id;
  Text cause;
  Text destination_id;
  Text worker;
  Text kind;
  Text recipient;
  DeliveryState state{};
  DeliveryStep step{};
  std::int64_t due_at = 0;
  std::int64_t seq = 0;
  std::int64_t dispatch_no = 0;
  Text token;
  std::int64_t attempts = 0;
  std::int64_t snoozes = 0;
  bool maybe_sent = false;
  std::int64_t sent_at = 0;
  std::int64_t absent_count = 0;
  std::optional<std::int64_t> probe_base;
  OptionalText attempt_target;
  messages::ReasonClass reason_class{};
  Text reason;
  OptionalText standby_id;
  std::int64_t created_at = 0;
  std::int64_t finished_at = 0;
  Text notice;
  bool operator==(const DeliveryRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("ticket_id", self.ticket_id);
    column("board_id", self.board_id);
    column("cause", self.cause);
    column("destination_id", self.destination_id);
    column("worker", self.worker);
    column("kind", self.kind);
    column("recipient", self.recipient);
    column("state", self.state);
    column("step", self.step);
    column("due_at", self.due_at);
    column("seq", self.seq);
    column("dispatch_no", self.dispatch_no);
    column("token", self.token);
    column("attempts", self.attempts);
    column("snoozes", self.snoozes);
    column("maybe_sent", self.maybe_sent);
    column("sent_at", self.sent_at);
    column("absent_count", self.absent_count);
    column("probe_base", self.probe_base);
    column("attempt_target", self.attempt_target);
    column("reason_class", self.reason_class);
    column("reason", self.reason);
    column("standby_id", self.standby_id);
    column("created_at", self.created_at);
    column("finished_at", self.finished_at);
    column("notice", self.notice);
  }
};

struct ExternalTicketRow {
  static constexpr std::string_view table = "external_tickets";
  static constexpr int key_columns = 1;
  Text id;
  Text ticket_id;
  Text board_id;
  Text delivery_id;
  Text connection_id;
  Text system;
  Text remote_id;
  Text remote_key;
  Text url;
  ExternalState state{};
  std::int64_t created_at = 0;
  bool operator==(const ExternalTicketRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("ticket_id", self.ticket_id);
    column("board_id", self.board_id);
    column("delivery_id", self.delivery_id);
    column("connection_id", self.connection_id);
    column("system", self.system);
    column("remote_id", self.remote_id);
    column("remote_key", self.remote_key);
    column("url", self.url);
    column("state", self.state);
    column("created_at", self.created_at);
  }
};

struct RemoteMarkRow {
  static constexpr std::string_view table = "remote_marks";
  static constexpr int key_columns = 2;
  Text connection_id;
  Text scope;
  std::int64_t value = 0;
  std::int64_t updated_at = 0;
  bool operator==(const RemoteMarkRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("connection_id", self.connection_id);
    column("scope", self.scope);
    column("value", self.value);
    column("updated_at", self.updated_at);
  }
};

struct StandbyRow {
  static constexpr std::string_view table = "standby";
  static constexpr int key_columns = 1;
  Text id;
  messages::StandbyKind kind{};
  Text subject_id;
  Text correlation_id;
  OptionalText ticket_id;
  OptionalText board_id;
  OptionalText connection_id;
  Text worker;
  Text message_type;
  Text reason_class;
  Text reason;
  Text group_key;
  Text original;
  bool original_is_base64 = false;
  Text properties;
  std::int64_t retry_no = 0;
  std::int64_t attempts = 0;
  std::int64_t first_at = 0;
  std::int64_t last_at = 0;
  OptionalText assignee;
  OptionalText note;
  messages::StandbyState state{};
  std::int64_t due_at = 0;
  OptionalText link_id;
  std::int64_t version = 0;
  bool operator==(const StandbyRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("kind", self.kind);
    column("subject_id", self.subject_id);
    column("correlation_id", self.correlation_id);
    column("ticket_id", self.ticket_id);
    column("board_id", self.board_id);
    column("connection_id", self.connection_id);
    column("worker", self.worker);
    column("message_type", self.message_type);
    column("reason_class", self.reason_class);
    column("reason", self.reason);
    column("group_key", self.group_key);
    column("original", self.original);
    column("original_is_base64", self.original_is_base64);
    column("properties", self.properties);
    column("retry_no", self.retry_no);
    column("attempts", self.attempts);
    column("first_at", self.first_at);
    column("last_at", self.last_at);
    column("assignee", self.assignee);
    column("note", self.note);
    column("state", self.state);
    column("due_at", self.due_at);
    column("link_id", self.link_id);
    column("version", self.version);
  }
};

}  // namespace postroom::store
