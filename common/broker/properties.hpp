#pragma once
// Envelope ↔ AMQP basic properties and headers. Only for common/broker.
// On the wire: message_id, type, correlation_id, reply_to, user_id, timestamp (whole seconds), content_type and delivery mode are properties;
// x-time-us, x-retry, x-assigned-board, x-original-user-id, traceparent and the CloudEvents 1.0 attributes (cloudEvents:*) are headers.

#include <amqp.h>

#include <array>
#include <string>

#include "common/messages/envelope.hpp"

namespace postroom::broker {

// Borrowed from the envelope: keep it alive, and this in its place, while the properties are used.
class WireProperties {
 public:
  WireProperties(const messages::Envelope& envelope, std::string_view user, bool persistent);
  WireProperties(const WireProperties&) = delete;
  WireProperties& operator=(const WireProperties&) = delete;
  const amqp_basic_properties_t& get() const { return properties_; }

 private:
  void header(std::string_view name, std::string_view value);
  void header(std::string_view name, std::int64_t value);

  amqp_basic_properties_t properties_{};
  std::array<amqp_table_entry_t, 12> headers_{};
  std::string source_;
};

// What is missing or of an unexpected type stays empty: a foreign message must be shelved, not crash its reader.
messages::Envelope envelope_of(const amqp_basic_properties_t& properties);

// All headers as one JSON object; byte strings that are not UTF-8 get U+FFFD, nesting below 16 levels becomes null.
std::string headers_json(const amqp_basic_properties_t& properties);

}  // namespace postroom::broker
