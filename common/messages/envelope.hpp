#pragma once
// What travels around a body: AMQP 0-9-1 basic properties and headers, with CloudEvents 1.0 attributes (binary mode) added by the broker client.

#include <cstdint>
#include <string>

#include "common/base/clock.hpp"

namespace postroom::messages {

struct Envelope {
  std::string message_id;      // UUID; the inbox's key together with `retry`
  std::string type;            // "ticket.open.v1"
  std::string correlation_id;  // the arrival's id, from the first byte in to the last delivery out
  std::string user_id;         // AMQP user that published; checked by the broker
  std::string reply_to;        // routing key on the exchange `reply`; empty = nobody waits
  WallTime timestamp{};        // whole seconds on the wire (AMQP timestamp); microseconds in header x-time-us
  std::string traceparent;     // W3C trace context, header
  std::int64_t retry = 0;             // header x-retry: the n-th replay from standby
  std::string assigned_board;         // header x-assigned-board: set by an operator, obeyed by routing
  std::string original_user_id;       // header x-original-user-id: who published it the first time
  bool operator==(const Envelope&) const = default;
};

}  // namespace postroom::messages
