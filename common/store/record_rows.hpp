#pragma once
// Rows that record rather than describe: history, events, inbox, outgoing, running tests and jobs, suspects.

#include <cstdint>
#include <optional>
#include <string>

#include "common/messages/standby.hpp"
#include "common/store/states.hpp"

namespace postroom::store {

using Text = std::string;
using OptionalText = std::optional<std::string>;

struct HistoryRow {
  static constexpr std::string_view table = "history";
  static constexpr int key_columns = 1;
  Text id;
  Text correlation_id;
  OptionalText ticket_id;
  OptionalText delivery_id;
  OptionalText standby_id;
  std::int64_t at = 0;
  std::int64_t seq = 0;
  Text actor;
  Text action;
  Text detail;
  bool operator==(const HistoryRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("correlation_id", self.correlation_id);
    column("ticket_id", self.ticket_id);
    column("delivery_id", self.delivery_id);
    column("standby_id", self.standby_id);
    column("at", self.at);
    column("seq", self.seq);
    column("actor", self.actor);
    column("action", self.action);
    column("detail", self.detail);
  }
};

struct EventRow {
  static constexpr std::string_view table = "events";
  static constexpr int key_columns = 1;
  std::int64_t seq = 0;
  Text type;
  std::int64_t at = 0;
  OptionalText board_id;
  Text body;
  bool operator==(const EventRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("seq", self.seq);
    column("type", self.type);
    column("at", self.at);
    column("board_id", self.board_id);
    column("body", self.body);
  }
};

struct InboxRow {
  static constexpr std::string_view table = "inbox";
  static constexpr int key_columns = 2;
  Text message_id;
  std::int64_t retry = 0;
  Text type;
  Text fingerprint;
  std::int64_t status = 0;
  Text result;
  std::int64_t at = 0;
  bool operator==(const InboxRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("message_id", self.message_id);
    column("retry", self.retry);
    column("type", self.type);
    column("fingerprint", self.fingerprint);
    column("status", self.status);
    column("result", self.result);
    column("at", self.at);
  }
};

struct OutgoingRow {
  static constexpr std::string_view table = "outgoing";
  static constexpr int key_columns = 1;
  std::int64_t seq = 0;
  Text exchange;
  Text routing_key;
  Text envelope;
  Text body;
  std::int64_t not_before = 0;
  std::int64_t attempts = 0;
  bool operator==(const OutgoingRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("seq", self.seq);
    column("exchange", self.exchange);
    column("routing_key", self.routing_key);
    column("envelope", self.envelope);
    column("body", self.body);
    column("not_before", self.not_before);
    column("attempts", self.attempts);
  }
};

struct ConnectionTestRow {
  static constexpr std::string_view table = "connection_tests";
  static constexpr int key_columns = 1;
  Text id;
  Text connection_id;
  Text reply_to;
  std::int64_t started_at = 0;
  std::int64_t due_at = 0;
  RunState state{};
  bool operator==(const ConnectionTestRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("connection_id", self.connection_id);
    column("reply_to", self.reply_to);
    column("started_at", self.started_at);
    column("due_at", self.due_at);
    column("state", self.state);
  }
};

struct BulkJobRow {
  static constexpr std::string_view table = "bulk_jobs";
  static constexpr int key_columns = 1;
  Text id;
  messages::BulkAction action{};
  Text filter;
  OptionalText board_id;
  Text actor;
  std::int64_t until = 0;
  std::int64_t cursor_at = 0;
  Text cursor_id;
  std::int64_t total = 0;
  std::int64_t done = 0;
  std::int64_t refused = 0;
  RunState state{};
  std::int64_t due_at = 0;
  bool operator==(const BulkJobRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("action", self.action);
    column("filter", self.filter);
    column("board_id", self.board_id);
    column("actor", self.actor);
    column("until", self.until);
    column("cursor_at", self.cursor_at);
    column("cursor_id", self.cursor_id);
    column("total", self.total);
    column("done", self.done);
    column("refused", self.refused);
    column("state", self.state);
    column("due_at", self.due_at);
  }
};

struct SuspectRow {
  static constexpr std::string_view table = "suspects";
  static constexpr int key_columns = 2;
  Text message_id;
  std::int64_t retry = 0;
  std::int64_t strikes = 0;
  std::int64_t at = 0;
  bool operator==(const SuspectRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("message_id", self.message_id);
    column("retry", self.retry);
    column("strikes", self.strikes);
    column("at", self.at);
  }
};

}  // namespace postroom::store
