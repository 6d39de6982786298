// What is promised, and what is not, with a real broker between us and a ledger that the test plays.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "tests/component/api/played_ledger.hpp"

using namespace postroom;
using namespace postroom::support;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Repeats until the answer is 202 again.
void await_promises(RunningApi& api) {
  const auto deadline = std::chrono::steady_clock::now() + seconds{60};
  while (std::chrono::steady_clock::now() < deadline) {
    if (api.post_ticket().status == 202) return;
    std::this_thread::sleep_for(milliseconds{100});
  }
  FAIL("no promise came again");
}

// The slowest of three posts, which must all be refused.
milliseconds refused_after(RunningApi& api) {
  milliseconds slowest{0};
  for (int n = 0; n < 3; ++n) {
    const auto started = std::chrono::steady_clock::now();
    const auto reply = api.post_ticket(R"({"title":"a"})", "Idempotency-Key: again-1\r\n");
    slowest = std::max(slowest, std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started));
    CHECK(reply.status == 503);
    CHECK(reply.headers.at("retry-after") == "1");
    CHECK(reply.body.find("urn:postroom:problem:not-promised") != std::string::npos);
    CHECK(reply.body.find("again-1") != std::string::npos);
  }
  return slowest;
}

// A second, and what asking takes. Judged by the best of three rounds: a busy machine adds to a time and takes nothing away.
constexpr milliseconds a_second{1'300};

}  // namespace

TEST_CASE("a promised ticket is in the ledger's queue, and a repeat with its key is the same message") {
  auto& api = RunningApi::shared();
  PlayedLedger ledger;
  const std::string key = "Idempotency-Key: k-1\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
  const std::string title = "Asked once", body = R"({"title":"Asked once","creator_email":"a@b.de"})";
  const auto first = api.post_ticket(body, key);
  REQUIRE(first.status == 202);
  const std::string ticket = data_of(first, "ticket_id");
  CHECK(first.headers.at("location") == "/v1/tickets/" + ticket);
  const auto message = ledger.next("ticket.open.v1", title);
  REQUIRE(message.has_value());
  CHECK(message->envelope.message_id == data_of(first, "command_id"));
  CHECK(message->envelope.correlation_id == message->envelope.message_id);
  CHECK(message->envelope.user_id == "api");
  CHECK(message->envelope.traceparent.starts_with("00-4bf9"));
  const auto open = codec::decode<messages::TicketOpen>(message->body);
  REQUIRE(open.ok());
  CHECK(open->ticket_id == ticket);
  CHECK(open->board_id == public_board);
  const auto again = api.post_ticket(body, key);
  CHECK(data_of(again, "ticket_id") == ticket);
  const auto repeated = ledger.next("ticket.open.v1", title);
  REQUIRE(repeated.has_value());
  CHECK(repeated->envelope.message_id == message->envelope.message_id);
  CHECK(repeated->body == message->body);
}

TEST_CASE("a change waits for the ledger's word and passes it on") {
  auto& api = RunningApi::shared();
  PlayedLedger ledger{[](const broker::Delivery& delivery) -> std::optional<messages::CommandReplied> {
    if (delivery.envelope.type == "board.create.v1") {
      return messages::CommandReplied{delivery.envelope.message_id, 201, {R"({"data":{"id":"x","version":1}})"}};
    }
    return messages::CommandReplied{delivery.envelope.message_id, 412, {R"({"type":"urn:postroom:problem:changed","status":412})"}};
  }};
  const auto made = api.ask_as_admin({.method = "POST", .path = "/v1/boards", .body = R"({"name":"New"})"});
  CHECK(made.status == 201);
  CHECK(made.headers.at("etag") == "\"v1\"");
  CHECK(made.headers.at("location").starts_with("/v1/boards/"));
  CHECK(data_of(made, "id") == "x");
  const auto refused = api.ask_as_admin({.method = "PATCH", .path = "/v1/boards/" + public_board, .body = R"({"name":"B"})", .fields = "If-Match: \"v9\"\r\n"});
  CHECK(refused.status == 412);
  CHECK(refused.headers.at("content-type") == "application/problem+json");
}

TEST_CASE("a ledger that is silent leaves the command's status to look at") {
  auto& api = RunningApi::shared();
  const auto started = std::chrono::steady_clock::now();
  const auto reply = api.ask_as_admin({.method = "POST", .path = "/v1/boards", .body = R"({"name":"Later"})", .fields = "Prefer: wait=1\r\n"});
  const auto taken = std::chrono::steady_clock::now() - started;
  CHECK(reply.status == 202);
  CHECK(reply.headers.at("location") == "/v1/commands/" + data_of(reply, "command_id"));
  CHECK(taken > milliseconds{950});
  CHECK(taken < milliseconds{6'000});  // without the wish it is ten seconds
  const auto at_once = api.ask_as_admin({.method = "DELETE", .path = "/v1/boards/" + public_board, .fields = "Prefer: respond-async\r\n"});
  CHECK(at_once.status == 202);
}

TEST_CASE("a secret is sealed before it leaves, the same for the same key") {
  auto& api = RunningApi::shared();
  PlayedLedger ledger;
  const Ask create{.method = "POST",
                   .path = "/v1/connections",
                   .body = R"({"name":"Site","kind":"jira","base_url":"https://a.example","account":"a@b.de","secret":"top-secret-1"})",
                   .fields = "Prefer: respond-async\r\nIdempotency-Key: c-1\r\n"};
  CHECK(api.ask_as_admin(create).status == 202);
  const auto first = ledger.next("connection.create.v1", "a.example");
  CHECK(api.ask_as_admin(create).status == 202);
  const auto second = ledger.next("connection.create.v1", "a.example");
  REQUIRE((first && second));
  CHECK(first->body.find("top-secret-1") == std::string::npos);
  CHECK(first->body.find("\"secret_sealed\":\"v1.") != std::string::npos);
  CHECK(first->body == second->body);
}

TEST_CASE("a death around the promise is a reset, and the same key is the same ticket afterwards") {
  for (const bool is_published : {false, true}) {
    CAPTURE(is_published);
    RunningApi api{{{"POSTROOM_CRASH_AT", is_published ? "api_after_confirm" : "api_before_publish"}, {"POSTROOM_API_PUBLISH_TIMEOUT_MS", "30000"}}};
    PlayedLedger ledger;
    const std::string title = is_published ? "Outlived a promise" : "Outlived a try";
    const std::string key = "Idempotency-Key: dies\r\n", body = fmt::format(R"({{"title":"{}"}})", title);
    CHECK(api.post_ticket(body, key).status == 0);
    CHECK(api.wait() == 137);
    const auto before = is_published ? ledger.next("ticket.open.v1", title) : std::nullopt;
    CHECK(before.has_value() == is_published);
    api.forget("POSTROOM_CRASH_AT");
    api.start();
    const auto promised = api.post_ticket(body, key);
    REQUIRE(promised.status == 202);
    const auto after = ledger.next("ticket.open.v1", title);
    REQUIRE(after.has_value());
    CHECK(after->envelope.message_id == data_of(promised, "command_id"));
    if (before) CHECK(before->envelope.message_id == after->envelope.message_id);
    if (before) CHECK(before->body == after->body);
  }
}

TEST_CASE("a blocked or absent broker is 503 within a second, and promises come again") {
  RunningApi api;
  auto& rabbit = Rabbit::shared();
  const Restored restored{rabbit};
  await_promises(api);
  auto blocked = milliseconds::max(), absent = milliseconds::max();
  for (int round = 0; round < 3 && blocked > a_second; ++round) {
    rabbit.block();
    blocked = std::min(blocked, refused_after(api));
    CHECK(api.ask({.path = "/readyz"}).status == 503);
    CHECK(api.ask_as_admin({.path = "/v1/boards"}).status == 200);  // reading does not need the broker
    rabbit.unblock();
    await_promises(api);
  }
  CHECK(blocked <= a_second);
  for (int round = 0; round < 3 && absent > a_second; ++round) {
    rabbit.kill();
    absent = std::min(absent, refused_after(api));
    CHECK(api.ask({.path = "/readyz"}).body.find("link") != std::string::npos);
    rabbit.start();
    await_promises(api);
  }
  CHECK(absent <= a_second);
  api.await_ready();
  RunningApi::shared().await_ready();  // it lost its broker, too
}
