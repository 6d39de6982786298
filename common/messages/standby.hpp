#pragma once
// standby.{assign,retry,edit,delete,retry_many}.v1 (api → ledger), standby.changed.v1 (ledger → whoever listens).

#include <cstdint>

#include "common/messages/describe.hpp"

namespace postroom::messages {

enum class StandbyKind { arrival, delivery, poison };
template <>
inline constexpr std::array enum_names<StandbyKind>{std::pair{StandbyKind::arrival, std::string_view{"arrival"}},
                                                    std::pair{StandbyKind::delivery, std::string_view{"delivery"}},
                                                    std::pair{StandbyKind::poison, std::string_view{"poison"}}};

enum class StandbyState { open, assigned, retry_pending, resolved, deleted };
template <>
inline constexpr std::array enum_names<StandbyState>{
    std::pair{StandbyState::open, std::string_view{"open"}}, std::pair{StandbyState::assigned, std::string_view{"assigned"}},
    std::pair{StandbyState::retry_pending, std::string_view{"retry_pending"}},
    std::pair{StandbyState::resolved, std::string_view{"resolved"}},
    std::pair{StandbyState::deleted, std::string_view{"deleted"}}};

// To a board (routing obeys it at the next retry), to a person, or with a note.
struct StandbyAssign {
  static constexpr std::string_view type = "standby.assign.v1";
  std::string standby_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> board_id;
  std::optional<std::string> assignee;
  std::optional<std::string> note;
  bool operator==(const StandbyAssign&) const = default;
  static void describe(auto& self, auto&& field) {
    field("standby_id", self.standby_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("board_id", self.board_id);
    field("assignee", self.assignee);
    field("note", self.note);
  }
};

// Refused (409) while a retry is pending or the item is resolved or deleted.
struct StandbyRetry {
  static constexpr std::string_view type = "standby.retry.v1";
  std::string standby_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  bool operator==(const StandbyRetry&) const = default;
  static void describe(auto& self, auto&& field) {
    field("standby_id", self.standby_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
  }
};

// Makes a corrected copy with a new id and a link back; the original is resolved. For an arrival or poison message the new body is sent on;
// for a delivery the ticket's title or description is replaced.
struct StandbyEdit {
  static constexpr std::string_view type = "standby.edit.v1";
  std::string standby_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::string new_id;  // of the copy
  RawJson body;        // the whole corrected message body; for a delivery {"title": …, "description": …}
  bool operator==(const StandbyEdit&) const = default;
  static void describe(auto& self, auto&& field) {
    field("standby_id", self.standby_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("new_id", self.new_id);
    field("body", self.body);
  }
};

struct StandbyDelete {
  static constexpr std::string_view type = "standby.delete.v1";
  std::string standby_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> reason;
  bool operator==(const StandbyDelete&) const = default;
  static void describe(auto& self, auto&& field) {
    field("standby_id", self.standby_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("reason", self.reason);
  }
};

struct StandbyFilter {
  std::optional<StandbyKind> kind;
  std::optional<std::string> worker;
  std::optional<std::string> reason_class;
  std::optional<std::string> group_key;
  std::optional<std::string> board_id;
  std::optional<std::string> connection_id;
  bool operator==(const StandbyFilter&) const = default;
  static void describe(auto& self, auto&& field) {
    field("kind", self.kind);
    field("worker", self.worker);
    field("reason_class", self.reason_class);
    field("group_key", self.group_key);
    field("board_id", self.board_id);
    field("connection_id", self.connection_id);
  }
};

enum class BulkAction { retry, remove };
template <>
inline constexpr std::array enum_names<BulkAction>{std::pair{BulkAction::retry, std::string_view{"retry"}},
                                                   std::pair{BulkAction::remove, std::string_view{"delete"}}};

// All open or assigned items that match now, paced; progress is the command's status.
struct StandbyRetryMany {
  static constexpr std::string_view type = "standby.retry_many.v1";
  std::string actor;
  BulkAction action = BulkAction::retry;
  StandbyFilter filter;
  std::optional<std::string> board_id;  // assign to this board on the way
  bool operator==(const StandbyRetryMany&) const = default;
  static void describe(auto& self, auto&& field) {
    field("actor", self.actor);
    field("action", self.action);
    field("filter", self.filter);
    field("board_id", self.board_id);
  }
};

struct StandbyChanged {
  static constexpr std::string_view type = "standby.changed.v1";
  std::string standby_id;
  StandbyState state = StandbyState::open;
  std::int64_t version = 0;
  bool operator==(const StandbyChanged&) const = default;
  static void describe(auto& self, auto&& field) {
    field("standby_id", self.standby_id);
    field("state", self.state);
    field("version", self.version);
  }
};

}  // namespace postroom::messages
