#include "tests/unit/runtime/bench.hpp"

using namespace postroom;
using namespace postroom::worker;
using messages::TestOutcome;

namespace {

std::string test_body(Bench& bench, std::string connection_id = "connection") {
  messages::JiraTest test;
  test.test_id = "test-1";
  test.site = bench.grant().site;
  test.site.connection_id = std::move(connection_id);
  return codec::encode(test);
}

TestOutcome outcome(Bench& bench) {
  const auto* sent = bench.publisher.last(TestOutcome::type);
  REQUIRE(sent != nullptr);
  return *codec::decode<TestOutcome>(sent->message.body);
}

}  // namespace

TEST_CASE("a connection test needs no claim; it is acknowledged when its outcome is confirmed") {
  Bench bench;
  bench.said.test_steps = {read_ask(), Tested{{{"log in", true, ""}}, "all is well"}};
  bench.worker.on_deliveries({bench.delivery(messages::JiraTest::type, test_body(bench), 8)});
  CHECK(bench.said.secret == "token");
  CHECK(bench.publisher.count(messages::WorkClaim::type) == 0);
  REQUIRE(bench.http.asked.size() == 1);
  CHECK(bench.http.last().timeout <= milliseconds{8'000});
  bench.http.answer(bench.reply(200));
  CHECK(outcome(bench).test_id == "test-1");
  CHECK(outcome(bench).connection_id == "connection");
  CHECK(outcome(bench).passed);
  CHECK(outcome(bench).summary == "all is well");
  CHECK(bench.consumer.acked.empty());
  bench.publisher.answer_last(TestOutcome::type);
  CHECK(bench.consumer.acked == std::vector<std::uint64_t>{8});
  CHECK(bench.worker.in_flight() == 0);
}

TEST_CASE("one failed check fails the test") {
  Bench bench;
  bench.said.test_steps = {Tested{{{"log in", true, ""}, {"project", false, "there is no project SUP"}}, "there is no project SUP", messages::ReasonClass::not_found}};
  bench.worker.on_deliveries({bench.delivery(messages::JiraTest::type, test_body(bench), 8)});
  CHECK_FALSE(outcome(bench).passed);
  CHECK(outcome(bench).checks.size() == 2);
  CHECK(outcome(bench).reason_class == messages::ReasonClass::not_found);
}

TEST_CASE("a secret that cannot be opened is a failed test with a hint") {
  Bench bench;
  bench.worker.on_deliveries({bench.delivery(messages::JiraTest::type, test_body(bench, "another"), 8)});
  CHECK_FALSE(outcome(bench).passed);
  CHECK(outcome(bench).summary.find("enter it again") != std::string::npos);
}

TEST_CASE("SIGTERM leaves a running test to another worker") {
  Bench bench;
  bench.said.test_steps = {read_ask()};
  bench.worker.on_deliveries({bench.delivery(messages::JiraTest::type, test_body(bench), 8)});
  bench.worker.drain(bench.clock.steady() + milliseconds{7'000});
  CHECK(bench.consumer.acked.empty());
  CHECK(bench.publisher.sent.empty());
  CHECK(bench.rested == 1);
}
