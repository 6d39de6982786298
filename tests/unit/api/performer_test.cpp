#include "api/server/performer.hpp"

#include <doctest/doctest.h>

#include "common/codec/codec.hpp"
#include "tests/support/fakes.hpp"

using namespace postroom;
using namespace postroom::api;
using broker::Published;

namespace {

class ManualPublisher final : public broker::Publisher {
 public:
  struct Sent {
    broker::Outgoing message;
    std::function<void(Published)> done;
    SteadyTime deadline;
  };
  std::vector<Sent> sent;
  broker::LinkState link = broker::LinkState::open;

  broker::PublishId submit(broker::Outgoing message, std::function<void(Published)> done, SteadyTime deadline) override {
    sent.push_back(Sent{std::move(message), std::move(done), deadline});
    return sent.size();
  }
  broker::LinkState state() const override { return link; }
  void on_state(std::function<void(broker::LinkState)>) override {}
  std::size_t unconfirmed() const override { return sent.size(); }
  void start() override {}
  void stop(std::chrono::milliseconds) override {}
};

struct Scene {
  Settings settings;
  fakes::ManualClock clock;
  ManualPublisher publisher;
  int moved = 0;
  std::optional<messages::CommandReplied> recorded;
  std::vector<std::string> looked_for;  // fingerprints
  Performer performer{settings, clock, publisher, "reply.api.1",
                      [this](std::string, std::string fingerprint, Found found) {
                        looked_for.push_back(std::move(fingerprint));
                        found(recorded);
                      },
                      [this] { ++moved; }};
  std::vector<Reply> answers;

  Done keep() {
    return [this](Reply reply) { answers.push_back(std::move(reply)); };
  }
  void promise() {
    performer.perform(Promise{.command = {.type = "ticket.open.v1", .id = "c1", .body = "{}"}, .promised = Reply{.status = 202}, .idempotency_key = "k1"}, "/x",
                      keep());
  }
  void exchange(std::chrono::milliseconds wait = std::chrono::seconds{10}, std::string id = "c1") {
    performer.perform(Exchange{.command = {.type = "board.create.v1", .id = std::move(id), .body = "{}"},
                               .wait = wait,
                               .location = "/v1/boards/b1",
                               .accepted = Reply{.status = 202, .body = "accepted"}},
                      "/x", keep());
  }
  void reply(std::int64_t status, std::string body, std::string id = "c1") {
    broker::Delivery delivery;
    delivery.body = codec::encode(messages::CommandReplied{.command_id = std::move(id), .status = status, .body = {std::move(body)}});
    performer.take_replies({delivery});
  }
  std::string header(std::size_t answer, std::string_view name) const {
    for (const auto& [known, value] : answers.at(answer).headers) {
      if (known == name) return value;
    }
    return {};
  }
};

}  // namespace

TEST_CASE("a promise is given after the confirm, not before") {
  Scene scene;
  scene.promise();
  REQUIRE(scene.publisher.sent.size() == 1);
  const auto& sent = scene.publisher.sent[0];
  CHECK(sent.message.exchange == "cmd");
  CHECK(sent.message.routing_key == "intake");
  CHECK(sent.message.envelope.message_id == "c1");
  CHECK(sent.message.envelope.correlation_id == "c1");
  CHECK(sent.message.envelope.reply_to.empty());
  CHECK(sent.deadline == scene.clock.steady() + scene.settings.publish_timeout);
  CHECK(scene.answers.empty());
  sent.done(Published::confirmed);
  REQUIRE(scene.answers.size() == 1);
  CHECK(scene.answers[0].status == 202);
}

TEST_CASE("whatever is not confirmed is not promised, and the key to repeat with is named") {
  for (const auto outcome : {Published::returned, Published::rejected, Published::not_sent, Published::unknown}) {
    Scene scene;
    scene.promise();
    scene.publisher.sent[0].done(outcome);
    REQUIRE(scene.answers.size() == 1);
    CHECK(scene.answers[0].status == 503);
    CHECK(scene.header(0, "Retry-After") == "1");
    CHECK(scene.answers[0].body.find("urn:postroom:problem:not-promised") != std::string::npos);
    CHECK(scene.answers[0].body.find("\"idempotency_key\":\"k1\"") != std::string::npos);
    CHECK(scene.answers[0].body.find("\"command_id\":\"c1\"") != std::string::npos);
  }
}

TEST_CASE("a link that is away or blocked is told at once and nothing is published") {
  for (const auto link : {broker::LinkState::connecting, broker::LinkState::blocked}) {
    Scene scene;
    scene.publisher.link = link;
    scene.promise();
    scene.exchange();
    CHECK(scene.publisher.sent.empty());
    REQUIRE(scene.answers.size() == 2);
    CHECK(scene.answers[0].status == 503);
    CHECK(scene.answers[1].status == 503);
    CHECK(scene.performer.waiting() == 0);
  }
}

TEST_CASE("the ledger's word is passed on") {
  Scene scene;
  scene.exchange();
  CHECK(scene.publisher.sent[0].message.routing_key == "now");
  CHECK(scene.publisher.sent[0].message.envelope.reply_to == "reply.api.1");
  scene.publisher.sent[0].done(Published::confirmed);
  CHECK(scene.answers.empty());
  scene.reply(201, R"({"data":{"id":"b1","version":1}})");
  REQUIRE(scene.answers.size() == 1);
  CHECK(scene.answers[0].status == 201);
  CHECK(scene.answers[0].body == R"({"data":{"id":"b1","version":1}})");
  CHECK(scene.header(0, "ETag") == "\"v1\"");
  CHECK(scene.header(0, "Location") == "/v1/boards/b1");
  CHECK(scene.performer.waiting() == 0);
  CHECK_FALSE(scene.performer.next_deadline().has_value());
}

TEST_CASE("a refusal of the ledger is a problem") {
  Scene scene;
  scene.exchange();
  scene.publisher.sent[0].done(Published::confirmed);
  scene.reply(409, R"({"type":"urn:postroom:problem:conflict"})");
  CHECK(scene.answers.at(0).status == 409);
  CHECK(scene.answers[0].type == BodyType::problem);
  CHECK(scene.header(0, "Location").empty());
}

TEST_CASE("a reply that overtakes the confirm counts, and the confirm changes nothing") {
  Scene scene;
  scene.exchange();
  scene.reply(200, "{}");
  scene.publisher.sent[0].done(Published::unknown);
  REQUIRE(scene.answers.size() == 1);
  CHECK(scene.answers[0].status == 200);
}

TEST_CASE("no reply in time is 202 with the command's status, once") {
  Scene scene;
  scene.exchange(std::chrono::seconds{2});
  CHECK(scene.moved == 1);
  scene.publisher.sent[0].done(Published::confirmed);
  scene.clock.advance(std::chrono::milliseconds{1'999});
  scene.performer.expire();
  CHECK(scene.answers.empty());
  scene.clock.advance(std::chrono::milliseconds{1});
  scene.performer.expire();
  REQUIRE(scene.answers.size() == 1);
  CHECK(scene.answers[0].body == "accepted");
  scene.reply(200, "{}");
  CHECK(scene.answers.size() == 1);
  CHECK(scene.performer.waiting() == 0);
}

TEST_CASE("a reply that was lost is found in the record, long before the time ends") {
  Scene scene;
  scene.exchange();
  scene.publisher.sent[0].done(Published::confirmed);
  scene.clock.advance(std::chrono::milliseconds{500});
  scene.performer.expire();
  CHECK(scene.answers.empty());
  // SHA-256 of the body "{}", in hex
  CHECK(scene.looked_for == std::vector<std::string>{"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"});
  scene.recorded = messages::CommandReplied{"c1", 201, {R"({"data":{"version":1}})"}};
  scene.performer.expire();
  CHECK(scene.answers.empty());  // not due
  scene.clock.advance(std::chrono::seconds{1});
  scene.performer.expire();
  REQUIRE(scene.answers.size() == 1);
  CHECK(scene.answers[0].status == 201);
  CHECK(scene.header(0, "Location") == "/v1/boards/b1");
  CHECK_FALSE(scene.performer.next_deadline().has_value());
}

TEST_CASE("the record is looked at ever more seldom") {
  Scene scene;
  scene.exchange(std::chrono::seconds{60});
  for (int n = 0; n < 600; ++n) {
    scene.clock.advance(std::chrono::milliseconds{100});
    scene.performer.expire();
  }
  CHECK(scene.looked_for.size() == 7);  // 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 and 60 s
}

TEST_CASE("time that ends before the confirm promises nothing yet") {
  Scene scene;
  scene.exchange(std::chrono::milliseconds{100});
  scene.clock.advance(std::chrono::milliseconds{200});
  scene.performer.expire();
  CHECK(scene.answers.empty());
  scene.publisher.sent[0].done(Published::unknown);
  REQUIRE(scene.answers.size() == 1);
  CHECK(scene.answers[0].status == 503);
}

TEST_CASE("who does not wait gets 202 after the confirm, and nobody replies") {
  Scene scene;
  scene.exchange(std::chrono::milliseconds{0});
  CHECK(scene.publisher.sent[0].message.envelope.reply_to.empty());
  CHECK(scene.performer.waiting() == 0);
  scene.publisher.sent[0].done(Published::confirmed);
  CHECK(scene.answers.at(0).body == "accepted");
}

TEST_CASE("two callers of the same command both hear") {
  Scene scene;
  scene.exchange();
  scene.exchange();
  scene.exchange(std::chrono::seconds{10}, "c2");
  scene.reply(200, "{}");
  CHECK(scene.answers.size() == 2);
  CHECK(scene.performer.waiting() == 1);
  scene.reply(200, "{}", "c2");
  CHECK(scene.answers.size() == 3);
}

TEST_CASE("a reply that is nonsense is dropped") {
  Scene scene;
  scene.exchange();
  broker::Delivery delivery;
  delivery.body = "{";
  scene.performer.take_replies({delivery});
  scene.reply(99, "{}");
  scene.reply(200, "{}", "unknown");
  CHECK(scene.answers.empty());
}
