#pragma once
// What the ledger keeps of a message besides its body, and the body of an edit of a delivery. Stored as JSON, never sent by themselves.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/messages/describe.hpp"
#include "common/messages/envelope.hpp"

namespace postroom::messages {

struct StoredEnvelope {
  std::string message_id;
  std::string type;
  std::string correlation_id;
  std::string user_id;
  std::string reply_to;
  std::int64_t timestamp_us = 0;
  std::string traceparent;
  std::int64_t retry = 0;
  std::string assigned_board;
  std::string original_user_id;
  bool operator==(const StoredEnvelope&) const = default;
  static void describe(auto& self, auto&& field) {
    field("message_id", self.message_id);
    field("type", self.type);
    field("correlation_id", self.correlation_id);
    field("user_id", self.user_id);
    field("reply_to", self.reply_to);
    field("timestamp_us", self.timestamp_us);
    field("traceparent", self.traceparent);
    field("retry", self.retry);
    field("assigned_board", self.assigned_board);
    field("original_user_id", self.original_user_id);
  }
};

inline StoredEnvelope stored(const Envelope& from) {
  return {from.message_id,  from.type,  from.correlation_id, from.user_id,         from.reply_to, to_micros(from.timestamp),
          from.traceparent, from.retry, from.assigned_board, from.original_user_id};
}
inline Envelope envelope_of(const StoredEnvelope& from) {
  return {from.message_id,  from.type,  from.correlation_id, from.user_id,         from.reply_to, from_micros(from.timestamp_us),
          from.traceparent, from.retry, from.assigned_board, from.original_user_id};
}

// Of a message on the standby shelf.
struct StoredProperties {
  std::string exchange;
  std::string routing_key;
  std::string queue;
  StoredEnvelope envelope;
  RawJson headers;  // all AMQP headers, x-death among them
  bool operator==(const StoredProperties&) const = default;
  static void describe(auto& self, auto&& field) {
    field("exchange", self.exchange);
    field("routing_key", self.routing_key);
    field("queue", self.queue);
    field("envelope", self.envelope);
    field("headers", self.headers);
  }
};

// standby.edit's body for a delivery: only what is given changes.
struct DeliveryEdit {
  std::optional<std::string> title;
  std::optional<std::string> description;
  bool operator==(const DeliveryEdit&) const = default;
  static void describe(auto& self, auto&& field) {
    field("title", self.title);
    field("description", self.description);
  }
};

// The words of a board, as its row keeps them.
struct StoredKeywords {
  std::vector<std::string> keywords;
  bool operator==(const StoredKeywords&) const = default;
  static void describe(auto& self, auto&& field) { field("keywords", self.keywords); }
};

}  // namespace postroom::messages
