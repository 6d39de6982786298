#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <doctest/doctest.h>

#include "tests/component/broker/bench.hpp"

using namespace postroom;
using namespace postroom::bench;
using broker::LinkState;
using broker::Published;

namespace {

// A client with our password that does not keep our rules.
class Rogue {
 public:
  explicit Rogue(const broker::Endpoint& to) : connection_(amqp_new_connection()) {
    REQUIRE(amqp_socket_open(amqp_tcp_socket_new(connection_), to.host.c_str(), to.port) == AMQP_STATUS_OK);
    const auto reply = amqp_login(connection_, to.vhost.c_str(), 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, to.user.c_str(), to.password.c_str());
    REQUIRE(reply.reply_type == AMQP_RESPONSE_NORMAL);
    amqp_channel_open(connection_, 1);
    amqp_confirm_select(connection_, 1);
  }
  ~Rogue() { amqp_destroy_connection(connection_); }

  // The broker's words on it; empty when it went well.
  std::string publish(const char* exchange, const char* key, const char* user_id) {
    amqp_basic_properties_t properties{};
    if (user_id != nullptr) {
      properties._flags = AMQP_BASIC_USER_ID_FLAG;
      properties.user_id = amqp_cstring_bytes(user_id);
    }
    amqp_basic_publish(connection_, 1, amqp_cstring_bytes(exchange), amqp_cstring_bytes(key), 0, 0, &properties, amqp_cstring_bytes("{}"));
    amqp_frame_t frame;
    timeval patience{5, 0};
    REQUIRE(amqp_simple_wait_frame_noblock(connection_, &frame, &patience) == AMQP_STATUS_OK);
    if (frame.payload.method.id == AMQP_BASIC_ACK_METHOD) return {};
    REQUIRE(frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD);
    const auto* close = static_cast<const amqp_channel_close_t*>(frame.payload.method.decoded);
    return fmt::format("{} {}", close->reply_code, std::string_view{static_cast<const char*>(close->reply_text.bytes), close->reply_text.len});
  }

  std::string consume(const char* queue) {
    amqp_basic_consume(connection_, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    return refusal();
  }

  std::string declare(const char* queue) {
    amqp_queue_declare(connection_, 1, amqp_cstring_bytes(queue), 0, 0, 1, 1, amqp_empty_table);
    return refusal();
  }

  std::string bind(const char* queue, const char* exchange) {
    amqp_queue_bind(connection_, 1, amqp_cstring_bytes(queue), amqp_cstring_bytes(exchange), amqp_cstring_bytes("now"), amqp_empty_table);
    return refusal();
  }

 private:
  std::string refusal() {
    const auto reply = amqp_get_rpc_reply(connection_);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
    const auto* close = static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
    return fmt::format("{} {}", close->reply_code, std::string_view{static_cast<const char*>(close->reply_text.bytes), close->reply_text.len});
  }

  amqp_connection_state_t connection_;
};

std::string code_of(const std::string& words) { return words.substr(0, 3); }

}  // namespace

TEST_CASE("a worker may publish outcomes and nothing else, under no name but its own") {
  auto& rabbit = support::Rabbit::shared();
  const auto jira = rabbit.endpoint("jira");
  CHECK(Rogue{jira}.publish("result", "result", "jira").empty());
  CHECK(code_of(Rogue{jira}.publish("cmd", "now", "jira")) == "403");
  CHECK(code_of(Rogue{jira}.publish("work", "trello", "jira")) == "403");
  CHECK(code_of(Rogue{jira}.publish("reply", "reply.api.1-a", "jira")) == "403");
  CHECK(code_of(Rogue{jira}.publish("standby", "", "jira")) == "403");
  CHECK(code_of(Rogue{jira}.publish("", "ledger.now", "jira")) == "403");
  CHECK(code_of(Rogue{jira}.publish("result", "result", "api")) == "406");
  empty(rabbit, "ledger.results");
}

TEST_CASE("a worker may read its own queues and nobody else's") {
  auto& rabbit = support::Rabbit::shared();
  const auto jira = rabbit.endpoint("jira");
  CHECK(Rogue{jira}.consume("jira").empty());
  CHECK(code_of(Rogue{jira}.consume("ledger.now")) == "403");
  CHECK(code_of(Rogue{jira}.consume("trello")) == "403");
  CHECK(code_of(Rogue{jira}.consume("standby")) == "403");
  CHECK(code_of(Rogue{jira}.declare("reply.trello.1-a")) == "403");
  CHECK(code_of(Rogue{jira}.declare("anything")) == "403");
  Rogue curious{jira};
  CHECK(curious.declare("reply.jira.1-a").empty());
  CHECK(code_of(curious.bind("reply.jira.1-a", "cmd")) == "403");
}

TEST_CASE("the ledger declares nothing, the operator touches nothing") {
  auto& rabbit = support::Rabbit::shared();
  CHECK(code_of(Rogue{rabbit.endpoint("ledger")}.declare("reply.ledger.1-a")) == "403");
  CHECK(Rogue{rabbit.endpoint("ledger")}.consume("ledger.now").empty());
  CHECK(code_of(Rogue{rabbit.endpoint("operator")}.consume("standby")) == "403");
  CHECK(code_of(Rogue{rabbit.endpoint("operator")}.publish("cmd", "now", "operator")) == "403");
}

TEST_CASE("a refused consumer and a refused publisher are not open, keep their deadlines and try no hot loop") {
  auto& rabbit = support::Rabbit::shared();
  Owner owner;
  Receiver curious{owner, rabbit.endpoint("jira")};
  curious.consumer->subscribe({"ledger.now", 10});
  curious.consumer->start();
  auto wrong = rabbit.endpoint("jira");
  wrong.password = "guess";
  Sender stranger{owner, wrong};
  stranger.send(message("result", "result", "never"), in(700ms));
  Sender jira{owner, rabbit.endpoint("jira")};
  jira.send(message("cmd", "now", "not mine"), in(1500ms));
  REQUIRE(stranger.answered(1, 3s));
  CHECK(stranger.answers == std::vector{Published::not_sent});
  REQUIRE(jira.answered(1, 3s));
  CHECK(jira.answers == std::vector{Published::unknown});
  CHECK(curious.consumer->state() != LinkState::open);
  CHECK(stranger.publisher->state() != LinkState::open);
  // Each attempt that got through shows as one "open"; with the back-off there were few in these 1.5 s.
  CHECK(jira.states.size() <= 16);
  jira.send(message("result", "result", "mine"));
  CHECK(jira.answered(2, 5s));
  empty(rabbit, "ledger.results");
}
