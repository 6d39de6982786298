#pragma once
// AMQP 0-9-1 frames into a buffer. The library's own amqp_basic_publish may wait for the socket without end, so what we send is encoded here
// and written by Link, which never waits; the library encodes the properties and methods inside. Only for common/broker.

#include <amqp.h>
#include <amqp_framing.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/broker/settlements.hpp"

namespace postroom::broker::wire {

// False, and `out` unchanged, when the names or properties cannot be encoded (a short string above 255 bytes).
bool append_publish(std::string& out, std::uint16_t channel, std::string_view exchange, std::string_view routing_key, bool mandatory,
                    const amqp_basic_properties_t& properties, std::string_view body, std::size_t frame_max);

void append_settlement(std::string& out, std::uint16_t channel, const Settlement& settlement);

// Any other method; `decoded` is the library's struct for it. The methods used here fit 1 KiB.
void append_method(std::string& out, std::uint16_t channel, amqp_method_number_t id, void* decoded);

void append_heartbeat(std::string& out);

inline amqp_bytes_t bytes(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
inline std::string_view view(const amqp_bytes_t& bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

}  // namespace postroom::broker::wire
