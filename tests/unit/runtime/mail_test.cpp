// A mail with the ledger's word in its middle.

#include "tests/unit/runtime/bench.hpp"

using namespace postroom;
using namespace postroom::worker;
using messages::ClaimVerdict;
using messages::WorkCommit;
using messages::WorkOutcome;

namespace {

Ask mail_ask() {
  SmtpAsk ask;
  ask.request.recipients = {"ann@example.org"};
  return ask;
}

// Claimed, and all but the final dot is out.
struct Held : Bench {
  explicit Held(Step last = done_step()) {
    said.steps = {mail_ask(), std::move(last)};
    job();
    send();
    smtp.hold();
  }
};

}  // namespace

TEST_CASE("a mail is held, the commit is asked, and its answer lets the dot leave") {
  Bench bench;
  bench.said.steps = {mail_ask(), done_step()};
  bench.job(7);
  bench.send();
  REQUIRE(bench.smtp.asked.size() == 1);
  CHECK(bench.smtp.last().request.timeout == milliseconds{120'000});
  CHECK(bench.publisher.count(WorkCommit::type) == 0);
  bench.advance(milliseconds{30'000});  // a slow server, and nothing is in doubt
  CHECK_FALSE(bench.has_reported());
  bench.smtp.hold();
  REQUIRE(bench.publisher.count(WorkCommit::type) == 1);
  CHECK(codec::decode<WorkCommit>(bench.publisher.last(WorkCommit::type)->message.body)->token == bench.token());
  CHECK_FALSE(bench.smtp.last().dot_left);
  bench.answer(ClaimVerdict::send, WorkCommit::type);
  CHECK(bench.smtp.last().dot_left);
  CHECK(bench.smtp.last().dot_by == bench.clock.steady() + milliseconds{5'000});
  CHECK(bench.said.heard.empty());
  bench.smtp.answer(smtp::Failure::none);
  REQUIRE(bench.said.heard.size() == 1);
  CHECK(std::get<smtp::Reply>(bench.said.heard[0]).may_have_arrived);
  CHECK(bench.outcome().outcome == Outcome::done);
  CHECK(bench.outcome().took_ms == 12);
  bench.confirm();
  CHECK(bench.consumer.acked == std::vector<std::uint64_t>{7});
}

TEST_CASE("a commit that is told to drop breaks the mail off before its dot") {
  Held bench;
  bench.answer(ClaimVerdict::drop, WorkCommit::type);
  CHECK(bench.smtp.asked.empty());
  CHECK(bench.smtp.cancelled == 1);
  CHECK_FALSE(bench.has_reported());
  CHECK(bench.consumer.acked.size() == 1);
  CHECK(bench.worker.in_flight() == 0);
}

TEST_CASE("a commit that is not answered is asked again, and then the mail is broken off: not sent") {
  Held bench;
  bench.advance(milliseconds{2'000});
  CHECK(bench.publisher.count(WorkCommit::type) == 2);
  bench.advance(milliseconds{2'000});
  CHECK(bench.publisher.count(WorkCommit::type) == 3);
  bench.advance(milliseconds{1'001});
  CHECK(bench.smtp.asked.empty());
  CHECK(bench.outcome().outcome == Outcome::not_sent);
  CHECK(bench.outcome().reason_class == ReasonClass::none);
  bench.answer(ClaimVerdict::send, WorkCommit::type);  // too late: there is nothing to let go
  CHECK(bench.said.heard.empty());
  CHECK(bench.publisher.count(WorkOutcome::type) == 1);
}

TEST_CASE("the dot that missed its time is not sent, and nobody's fault at the far side") {
  Held bench;
  bench.answer(ClaimVerdict::send, WorkCommit::type);
  bench.smtp.asked.begin()->second.dot_left = false;  // the port looked at the clock once more
  bench.smtp.answer(smtp::Failure::too_late);
  CHECK(bench.outcome().outcome == Outcome::not_sent);
  CHECK(bench.outcome().reason_class == ReasonClass::none);
}

TEST_CASE("a server that leaves while the mail is held ends it; the commit's answer finds nothing to do") {
  Held bench{Defer{{ReasonClass::unreachable, "left", {}, {}}}};
  bench.smtp.answer(smtp::Failure::broken);
  CHECK(bench.outcome().outcome == Outcome::defer);
  bench.answer(ClaimVerdict::send, WorkCommit::type);
  CHECK(bench.publisher.count(WorkOutcome::type) == 1);
  CHECK(bench.said.heard.size() == 1);
}

TEST_CASE("a worker that was stopped between claim and mail begins none") {
  Bench bench;
  bench.said.steps = {mail_ask()};
  bench.job();
  bench.clock.advance(milliseconds{5'001});
  bench.send();
  CHECK(bench.smtp.asked.empty());
  CHECK(bench.outcome().outcome == Outcome::not_sent);
}

TEST_CASE("the end of the process: a mail before its dot is broken off, one behind it is awaited, then in doubt") {
  {
    Bench bench;
    bench.said.steps = {mail_ask()};
    bench.job();
    bench.send();
    bench.worker.drain(bench.clock.steady() + milliseconds{7'000});
    CHECK(bench.smtp.asked.empty());
    CHECK(bench.outcome().outcome == Outcome::not_sent);
    CHECK(bench.outcome().reason_class == ReasonClass::shutdown);
  }
  {
    Held bench;
    bench.worker.drain(bench.clock.steady() + milliseconds{7'000});
    CHECK(bench.smtp.asked.empty());
    CHECK(bench.outcome().outcome == Outcome::not_sent);
    CHECK(bench.outcome().reason_class == ReasonClass::shutdown);
    bench.confirm();
    CHECK(bench.rested > 0);
  }
  {
    Held bench;
    bench.answer(ClaimVerdict::send, WorkCommit::type);
    bench.worker.drain(bench.clock.steady() + milliseconds{7'000});
    CHECK(bench.smtp.asked.size() == 1);
    CHECK_FALSE(bench.has_reported());
    bench.advance(milliseconds{7'000});
    CHECK(bench.outcome().outcome == Outcome::unknown);
    CHECK(bench.outcome().reason_class == ReasonClass::shutdown);
  }
  {
    Held bench;
    bench.answer(ClaimVerdict::send, WorkCommit::type);
    bench.worker.drain(bench.clock.steady() + milliseconds{7'000});
    bench.smtp.answer(smtp::Failure::none);
    CHECK(bench.outcome().outcome == Outcome::done);
  }
}

TEST_CASE("a bug in the conversation after the dot is in doubt, before it is deferred") {
  for (const bool is_behind : {true, false}) {
    CAPTURE(is_behind);
    Held bench;
    bench.said.throws = true;
    if (is_behind) bench.answer(ClaimVerdict::send, WorkCommit::type);
    bench.smtp.answer(smtp::Failure::broken);
    CHECK(bench.outcome().outcome == (is_behind ? Outcome::unknown : Outcome::defer));
  }
}

TEST_CASE("a connection test may try a mail server, and never sends a mail") {
  Bench bench;
  bench.said.test_steps = {Ask{mail_ask()}, Tested{{{"reach", true, ""}}, "fine"}};
  messages::JiraTest test;
  test.test_id = "test-1";
  test.site = bench.grant().site;
  bench.worker.on_deliveries({bench.delivery(messages::JiraTest::type, codec::encode(test), 3)});
  REQUIRE(bench.smtp.asked.size() == 1);
  CHECK(bench.smtp.last().request.recipients.empty());
  CHECK(bench.smtp.last().request.timeout == milliseconds{8'000});
  bench.smtp.answer(smtp::Failure::none);
  CHECK(codec::decode<messages::TestOutcome>(bench.publisher.last(messages::TestOutcome::type)->message.body)->passed);
}

TEST_CASE("a connection test that is abandoned leaves the mail server alone") {
  Bench bench;
  bench.said.test_steps = {Ask{mail_ask()}};
  messages::JiraTest test;
  test.test_id = "test-1";
  test.site = bench.grant().site;
  bench.worker.on_deliveries({bench.delivery(messages::JiraTest::type, codec::encode(test), 3)});
  bench.worker.drain(bench.clock.steady());
  CHECK(bench.smtp.asked.empty());
  CHECK(bench.consumer.acked.empty());
}
