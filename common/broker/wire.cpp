#include "common/broker/wire.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace postroom::broker::wire {

namespace {

constexpr char frame_end = '\xce';
constexpr std::size_t frame_overhead = 8;  // type, channel, size, end

void put8(std::string& out, unsigned value) { out.push_back(static_cast<char>(value)); }
void put16(std::string& out, unsigned value) {
  put8(out, value >> 8);
  put8(out, value);
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
void put64(std::string& out, std::uint64_t value) {
  put32(out, static_cast<std::uint32_t>(value >> 32));
  put32(out, static_cast<std::uint32_t>(value));
}
void put_short_string(std::string& out, std::string_view text) {
  put8(out, static_cast<unsigned>(text.size()));
  out += text;
}

// Opens a frame; `close` fills in its size.
std::size_t open_frame(std::string& out, unsigned type, std::uint16_t channel) {
  put8(out, type);
  put16(out, channel);
  put32(out, 0);
  return out.size();
}

void close_frame(std::string& out, std::size_t payload_at) {
  const auto size = static_cast<std::uint32_t>(out.size() - payload_at);
  for (unsigned i = 0; i < 4; ++i) out[payload_at - 4 + i] = static_cast<char>(size >> (24 - 8 * i));
  out.push_back(frame_end);
}

bool is_short(const amqp_bytes_t& text) { return text.len <= std::numeric_limits<std::uint8_t>::max(); }

bool has_short_strings(const amqp_basic_properties_t& p) {
  const auto absent_or_short = [&](amqp_flags_t flag, const amqp_bytes_t& text) { return (p._flags & flag) == 0 || is_short(text); };
  return absent_or_short(AMQP_BASIC_CONTENT_TYPE_FLAG, p.content_type) && absent_or_short(AMQP_BASIC_CORRELATION_ID_FLAG, p.correlation_id) &&
         absent_or_short(AMQP_BASIC_REPLY_TO_FLAG, p.reply_to) && absent_or_short(AMQP_BASIC_MESSAGE_ID_FLAG, p.message_id) &&
         absent_or_short(AMQP_BASIC_TYPE_FLAG, p.type) && absent_or_short(AMQP_BASIC_USER_ID_FLAG, p.user_id);
}

}  // namespace

bool append_publish(std::string& out, std::uint16_t channel, std::string_view exchange, std::string_view routing_key, bool mandatory,
                    const amqp_basic_properties_t& properties, std::string_view body, std::size_t frame_max) {
  if (!is_short(bytes(exchange)) || !is_short(bytes(routing_key)) || !has_short_strings(properties)) return false;
  std::array<char, 16384> encoded;
  const int encoded_size =
      amqp_encode_properties(AMQP_BASIC_CLASS, const_cast<amqp_basic_properties_t*>(&properties), {encoded.size(), encoded.data()});
  if (encoded_size < 0) return false;

  auto payload = open_frame(out, AMQP_FRAME_METHOD, channel);
  put32(out, AMQP_BASIC_PUBLISH_METHOD);
  put16(out, 0);  // reserved
  put_short_string(out, exchange);
  put_short_string(out, routing_key);
  put8(out, mandatory ? 1 : 0);
  close_frame(out, payload);

  payload = open_frame(out, AMQP_FRAME_HEADER, channel);
  put16(out, AMQP_BASIC_CLASS);
  put16(out, 0);  // weight, unused
  put64(out, body.size());
  out.append(encoded.data(), static_cast<std::size_t>(encoded_size));
  close_frame(out, payload);

  const std::size_t most = frame_max - frame_overhead;
  for (; !body.empty(); body.remove_prefix(std::min(most, body.size()))) {
    payload = open_frame(out, AMQP_FRAME_BODY, channel);
    out += body.substr(0, most);
    close_frame(out, payload);
  }
  return true;
}

void append_settlement(std::string& out, std::uint16_t channel, const Settlement& settlement) {
  const bool is_ack = settlement.kind == Settlement::Kind::ack || settlement.kind == Settlement::Kind::ack_up_to;
  const auto payload = open_frame(out, AMQP_FRAME_METHOD, channel);
  put32(out, is_ack ? AMQP_BASIC_ACK_METHOD : AMQP_BASIC_REJECT_METHOD);
  put64(out, settlement.tag);
  put8(out, settlement.kind == Settlement::Kind::ack_up_to || settlement.kind == Settlement::Kind::requeue ? 1 : 0);
  close_frame(out, payload);
}

void append_method(std::string& out, std::uint16_t channel, amqp_method_number_t id, void* decoded) {
  std::array<char, 1024> encoded;
  const int size = amqp_encode_method(id, decoded, {encoded.size(), encoded.data()});
  if (size < 0) return;
  const auto payload = open_frame(out, AMQP_FRAME_METHOD, channel);
  put32(out, id);
  out.append(encoded.data(), static_cast<std::size_t>(size));
  close_frame(out, payload);
}

void append_heartbeat(std::string& out) {
  close_frame(out, open_frame(out, AMQP_FRAME_HEARTBEAT, 0));
}

}  // namespace postroom::broker::wire
