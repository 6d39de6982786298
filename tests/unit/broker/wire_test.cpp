#include "common/broker/wire.hpp"

#include <doctest/doctest.h>

#include "common/broker/properties.hpp"
#include "common/codec/codec.hpp"

using namespace postroom;

namespace {

// The library's own parser, fed with what we wrote.
class Parser {
 public:
  Parser() : connection_(amqp_new_connection()) {
    // A fresh connection waits for a protocol header; after it the limits can be set.
    std::string header("AMQP\0\0\x09\x01", 8);
    amqp_frame_t frame;
    REQUIRE(amqp_handle_input(connection_, {header.size(), header.data()}, &frame) == 8);
    amqp_tune_connection(connection_, 10, 131072, 0);
  }
  ~Parser() { amqp_destroy_connection(connection_); }

  // Frames in order; the text must consist of whole frames.
  std::vector<amqp_frame_t> parse(std::string& text) {
    std::vector<amqp_frame_t> frames;
    for (std::size_t at = 0; at < text.size();) {
      amqp_frame_t frame;
      const int used = amqp_handle_input(connection_, {text.size() - at, text.data() + at}, &frame);
      REQUIRE(used > 0);
      at += static_cast<std::size_t>(used);
      if (frame.frame_type != 0) frames.push_back(frame);
    }
    return frames;
  }

 private:
  amqp_connection_state_t connection_;
};

messages::Envelope full_envelope() {
  messages::Envelope envelope;
  envelope.message_id = "0198c2f4-0000-7000-8000-000000000001";
  envelope.type = "ticket.open.v1";
  envelope.correlation_id = "0198c2f4-0000-7000-8000-000000000002";
  envelope.user_id = "api";
  envelope.reply_to = "reply.api.1-a";
  envelope.timestamp = from_micros(1'795'168'800'123'456);
  envelope.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  envelope.retry = 2;
  envelope.assigned_board = "b\xc3\xb6";
  envelope.original_user_id = "jira";
  return envelope;
}

}  // namespace

TEST_CASE("a published message is three kinds of frames that the library reads back") {
  const auto envelope = full_envelope();
  const broker::WireProperties properties{envelope, "api", true};
  std::string body(300'000, 'x');
  std::string out;
  REQUIRE(broker::wire::append_publish(out, 1, "cmd", "now", true, properties.get(), body, 131072));
  Parser parser;
  const auto frames = parser.parse(out);
  REQUIRE(frames.size() == 5);
  CHECK(frames[0].payload.method.id == AMQP_BASIC_PUBLISH_METHOD);
  const auto* publish = static_cast<const amqp_basic_publish_t*>(frames[0].payload.method.decoded);
  CHECK(broker::wire::view(publish->exchange) == "cmd");
  CHECK(broker::wire::view(publish->routing_key) == "now");
  CHECK(publish->mandatory == 1);
  CHECK(publish->immediate == 0);
  CHECK(frames[1].payload.properties.body_size == body.size());
  const auto& got = *static_cast<const amqp_basic_properties_t*>(frames[1].payload.properties.decoded);
  CHECK(broker::envelope_of(got) == envelope);
  CHECK(got.delivery_mode == 2);
  CHECK(codec::normalised_json(broker::headers_json(got)).ok());
  std::size_t total = 0;
  for (std::size_t i = 2; i < frames.size(); ++i) {
    CHECK(frames[i].channel == 1);
    total += frames[i].payload.body_fragment.len;
  }
  CHECK(total == body.size());
}

TEST_CASE("an empty body has no body frame, and absent parts are no headers") {
  messages::Envelope envelope;
  const broker::WireProperties properties{envelope, "api", false};
  std::string out;
  REQUIRE(broker::wire::append_publish(out, 1, "event", "x", false, properties.get(), "", 131072));
  Parser parser;
  const auto frames = parser.parse(out);
  REQUIRE(frames.size() == 2);
  const auto& got = *static_cast<const amqp_basic_properties_t*>(frames[1].payload.properties.decoded);
  CHECK(got.delivery_mode == 1);
  CHECK((got._flags & AMQP_BASIC_MESSAGE_ID_FLAG) == 0);
  CHECK(broker::headers_json(got).find("x-retry") == std::string::npos);
}

TEST_CASE("names above 255 bytes are refused and leave no half a frame") {
  const std::string longest(255, 'k');
  messages::Envelope envelope;
  const broker::WireProperties properties{envelope, "api", true};
  std::string out;
  CHECK(broker::wire::append_publish(out, 1, "cmd", longest, true, properties.get(), "x", 131072));
  const auto before = out;
  CHECK_FALSE(broker::wire::append_publish(out, 1, "cmd", longest + "k", true, properties.get(), "x", 131072));
  envelope.correlation_id = longest + "k";
  const broker::WireProperties too_long{envelope, "api", true};
  CHECK_FALSE(broker::wire::append_publish(out, 1, "cmd", "now", true, too_long.get(), "x", 131072));
  messages::Envelope large;
  large.traceparent = std::string(20'000, 't');
  const broker::WireProperties too_large{large, "api", true};
  CHECK_FALSE(broker::wire::append_publish(out, 1, "cmd", "now", true, too_large.get(), "x", 131072));
  CHECK(out == before);
}

TEST_CASE("acks and rejects say what they mean") {
  std::string out;
  using Kind = broker::Settlement::Kind;
  for (const auto kind : {Kind::ack, Kind::ack_up_to, Kind::reject, Kind::requeue}) broker::wire::append_settlement(out, 1, {kind, 0x0102030405060708});
  broker::wire::append_heartbeat(out);
  Parser parser;
  const auto frames = parser.parse(out);
  REQUIRE(frames.size() == 5);
  const auto* single = static_cast<const amqp_basic_ack_t*>(frames[0].payload.method.decoded);
  CHECK(single->delivery_tag == 0x0102030405060708);
  CHECK(single->multiple == 0);
  CHECK(static_cast<const amqp_basic_ack_t*>(frames[1].payload.method.decoded)->multiple == 1);
  CHECK(static_cast<const amqp_basic_reject_t*>(frames[2].payload.method.decoded)->requeue == 0);
  CHECK(static_cast<const amqp_basic_reject_t*>(frames[3].payload.method.decoded)->requeue == 1);
  CHECK(frames[4].frame_type == AMQP_FRAME_HEARTBEAT);
}

TEST_CASE("other methods are encoded by the library") {
  amqp_basic_cancel_t cancel{};
  cancel.consumer_tag = amqp_cstring_bytes("jira#1");
  std::string out;
  broker::wire::append_method(out, 1, AMQP_BASIC_CANCEL_METHOD, &cancel);
  Parser parser;
  const auto frames = parser.parse(out);
  REQUIRE(frames.size() == 1);
  CHECK(broker::wire::view(static_cast<const amqp_basic_cancel_t*>(frames[0].payload.method.decoded)->consumer_tag) == "jira#1");
}

TEST_CASE("nesting has an end") {
  amqp_field_value_t values[40];
  for (int i = 0; i < 40; ++i) {
    values[i].kind = AMQP_FIELD_KIND_ARRAY;
    values[i].value.array = {i < 39 ? 1 : 0, i < 39 ? &values[i + 1] : nullptr};
  }
  amqp_table_entry_t entry{amqp_cstring_bytes("deep"), values[0]};
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_HEADERS_FLAG;
  properties.headers = {1, &entry};
  const auto text = broker::headers_json(properties);
  CHECK(text.find("null") != std::string::npos);
  CHECK(codec::normalised_json(text).ok());
}
