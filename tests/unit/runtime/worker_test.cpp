#include "tests/unit/runtime/bench.hpp"

using namespace postroom;
using namespace postroom::worker;
using messages::ClaimVerdict;
using messages::WorkClaim;
using messages::WorkCommit;
using messages::WorkOutcome;

TEST_CASE("a job is claimed, performed, reported, and acknowledged when the report is confirmed") {
  Bench bench;
  bench.said.steps = {create_ask(), done_step()};
  bench.job(5);
  const auto* claim = bench.publisher.last(WorkClaim::type);
  REQUIRE(claim != nullptr);
  CHECK(claim->message.exchange == "result");
  CHECK(claim->message.routing_key == "result");
  CHECK(claim->message.envelope.reply_to == "reply.jira.4711-0a1b2c3d");
  CHECK(claim->message.envelope.correlation_id == "correlation");
  CHECK(codec::decode<WorkClaim>(claim->message.body)->worker == "jira-4711-0a1b2c3d");
  CHECK(bench.http.asked.empty());

  bench.send();
  CHECK(bench.said.secret == "token");
  CHECK(bench.said.grant.marker == "installation.d1");
  REQUIRE(bench.http.asked.size() == 1);
  CHECK_FALSE(bench.http.last().is_repeatable);
  CHECK(bench.http.last().timeout == milliseconds{30'000});
  CHECK(bench.http.last().first_byte_by == bench.clock.steady() + milliseconds{5'000});

  bench.http.answer(bench.reply(201));
  const auto outcome = bench.outcome();
  CHECK(outcome.outcome == Outcome::done);
  CHECK(outcome.remote->key == "SUP-1");
  CHECK(outcome.limits->remaining == 7);
  CHECK(outcome.took_ms == 12);
  CHECK(outcome.token == bench.token());
  CHECK(bench.publisher.last(WorkOutcome::type)->message.envelope.reply_to.empty());
  CHECK(bench.consumer.acked.empty());
  bench.confirm();
  CHECK(bench.consumer.acked == std::vector<std::uint64_t>{5});
  CHECK(bench.worker.in_flight() == 0);
}

TEST_CASE("drop means: acknowledge and forget") {
  Bench bench;
  bench.job(9);
  bench.answer(ClaimVerdict::drop);
  CHECK(bench.consumer.acked == std::vector<std::uint64_t>{9});
  CHECK_FALSE(bench.has_reported());
  CHECK(bench.worker.in_flight() == 0);
}

TEST_CASE("an unanswered claim is asked again with the same token, and given up before the first byte would be too late") {
  Bench bench;
  bench.job();
  const std::string token = bench.token();
  bench.advance(milliseconds{2'000});
  CHECK(bench.publisher.count(WorkClaim::type) == 2);
  CHECK(bench.token() == token);
  CHECK(bench.publisher.sent[0].message.envelope.message_id != bench.publisher.sent[1].message.envelope.message_id);
  bench.advance(milliseconds{2'000});
  CHECK(bench.publisher.count(WorkClaim::type) == 3);
  bench.advance(milliseconds{1'001});
  CHECK(bench.publisher.count(WorkClaim::type) == 3);
  CHECK(bench.outcome().outcome == Outcome::not_sent);
  CHECK(bench.outcome().reason_class == ReasonClass::none);  // not the far side's fault
  bench.send();  // too late: nothing happens
  CHECK(bench.http.asked.empty());
  bench.confirm();
  CHECK(bench.consumer.acked.size() == 1);
}

TEST_CASE("a process that was stopped between claim and first byte sends nothing") {
  Bench bench;
  bench.said.steps = {create_ask()};
  bench.job();
  bench.clock.advance(milliseconds{5'001});  // stopped; the answer was waiting
  bench.send();
  CHECK(bench.http.asked.empty());
  CHECK(bench.outcome().outcome == Outcome::not_sent);
}

TEST_CASE("the connection was ready too late: not sent") {
  Bench bench;
  bench.said.steps = {create_ask()};
  bench.job();
  bench.send();
  http::Reply late;
  late.failure = http::Failure::too_late;
  bench.http.answer(late);
  CHECK(bench.outcome().outcome == Outcome::not_sent);
  CHECK(bench.outcome().reason_class == ReasonClass::timeout);  // the far side's handshake took it
  CHECK(bench.said.heard.empty());
}

TEST_CASE("a commit is asked, asked again, and moves the time of the first byte") {
  Bench bench;
  bench.said.steps = {read_ask(), CommitAsk{41}, create_ask(), done_step()};
  bench.job();
  bench.send();
  CHECK(bench.http.last().is_repeatable);
  CHECK(bench.http.last().timeout == milliseconds{15'000});
  bench.advance(milliseconds{4'000});
  bench.http.answer(bench.reply(200));
  const auto* commit = bench.publisher.last(WorkCommit::type);
  REQUIRE(commit != nullptr);
  CHECK(commit->message.envelope.reply_to == "reply.jira.4711-0a1b2c3d");
  CHECK(codec::decode<WorkCommit>(commit->message.body)->probe_base == 41);
  CHECK(codec::decode<WorkCommit>(commit->message.body)->token == bench.token());
  bench.advance(milliseconds{2'000});
  CHECK(bench.publisher.count(WorkCommit::type) == 2);
  bench.answer(ClaimVerdict::send);  // a late second answer to the claim is not the answer to the commit
  CHECK(bench.http.asked.empty());
  bench.answer(ClaimVerdict::send, WorkCommit::type);
  REQUIRE(bench.http.asked.size() == 1);
  CHECK(bench.http.last().first_byte_by == bench.clock.steady() + milliseconds{3'000});
  bench.http.answer(bench.reply(201));
  CHECK(bench.outcome().outcome == Outcome::done);
}

TEST_CASE("a commit that is told to drop sends nothing") {
  Bench bench;
  bench.said.steps = {CommitAsk{41}};
  bench.job();
  bench.send();
  bench.answer(ClaimVerdict::drop, WorkCommit::type);
  CHECK(bench.http.asked.empty());
  CHECK_FALSE(bench.has_reported());
  CHECK(bench.consumer.acked.size() == 1);
}

TEST_CASE("an unanswered commit ends as not sent") {
  Bench bench;
  bench.said.steps = {CommitAsk{41}};
  bench.job();
  bench.send();
  bench.advance(milliseconds{5'001});
  CHECK(bench.outcome().outcome == Outcome::not_sent);
}

TEST_CASE("every verdict becomes its outcome, with the far side's wish clamped") {
  struct Row {
    Step verdict;
    Outcome outcome;
  };
  const Reason why{ReasonClass::rate_limited, "slow down", 429, milliseconds{10'000'000'000}};
  const Row rows[] = {{Defer{why}, Outcome::defer},     {Snooze{why}, Outcome::snooze},   {Refuse{why}, Outcome::refuse},
                      {NotSent{why}, Outcome::not_sent}, {Unknown{why}, Outcome::unknown}};
  for (const auto& row : rows) {
    Bench bench;
    bench.said.steps = {row.verdict};
    bench.job();
    bench.send();
    const auto outcome = bench.outcome();
    CHECK(outcome.outcome == row.outcome);
    CHECK(outcome.reason_class == ReasonClass::rate_limited);
    CHECK(outcome.reason == "slow down");
    CHECK(outcome.http_status == 429);
    CHECK(outcome.after_ms == 3'600'000);
  }
}

TEST_CASE("what a redelivery brings again is the same errand; every delivery of it is acknowledged") {
  Bench bench;
  bench.said.steps = {create_ask(), done_step()};
  bench.job(1);
  bench.send();
  bench.job(2);
  CHECK(bench.publisher.count(WorkClaim::type) == 1);
  CHECK(bench.http.asked.size() == 1);
  bench.http.answer(bench.reply(201));
  bench.job(3);  // also while the report is under way
  bench.confirm();
  CHECK(bench.consumer.acked == std::vector<std::uint64_t>{1, 2, 3});
  bench.job(4);  // finished: the ledger decides
  CHECK(bench.publisher.count(WorkClaim::type) == 2);
}

TEST_CASE("another dispatch of the same delivery is another errand") {
  Bench bench;
  bench.job(1, messages::JiraCreate::type, 1);
  bench.job(2, messages::JiraCreate::type, 2);
  CHECK(bench.publisher.count(WorkClaim::type) == 2);
  CHECK(bench.worker.in_flight() == 2);
}

TEST_CASE("what cannot be read or is of an unknown version is rejected whole, without requeueing") {
  Bench bench;
  bench.worker.on_deliveries({bench.delivery(messages::JiraCreate::type, "{\"delivery_id\":", 1), bench.delivery("jira.create.v2", "{}", 2),
                              bench.delivery(messages::JiraTest::type, "{}", 3), bench.delivery(messages::TrelloCreate::type, "{}", 4)});
  CHECK(bench.consumer.rejected == std::vector<std::pair<std::uint64_t, bool>>{{1, false}, {2, false}, {3, false}, {4, false}});
  CHECK(bench.publisher.sent.empty());
}

TEST_CASE("a report that the broker does not take is said again") {
  Bench bench;
  bench.said.steps = {done_step()};
  bench.job();
  bench.send();
  bench.publisher.answer_last(WorkOutcome::type, broker::Published::rejected);
  CHECK(bench.consumer.acked.empty());
  bench.advance(milliseconds{1'000});
  CHECK(bench.publisher.count(WorkOutcome::type) == 2);
  bench.confirm();
  CHECK(bench.consumer.acked.size() == 1);
}

TEST_CASE("a secret that does not open is refused, not tried") {
  Bench bench;
  bench.job();
  messages::ClaimAnswered answered;
  answered.token = bench.token();
  answered.verdict = ClaimVerdict::send;
  answered.asked = WorkClaim::type;
  answered.grant = bench.grant();
  answered.grant->site.connection_id = "another";  // moved to another row
  bench.worker.on_deliveries({bench.delivery(messages::ClaimAnswered::type, codec::encode(answered), 0)});
  CHECK(bench.outcome().outcome == Outcome::refuse);
  CHECK(bench.outcome().reason_class == ReasonClass::credentials);
}

TEST_CASE("answers for nobody and answers that cannot be read change nothing") {
  Bench bench;
  bench.job();
  bench.answer(ClaimVerdict::send, WorkClaim::type, "00000000-0000-7000-8000-ffffffffffff");
  bench.worker.on_deliveries({bench.delivery(messages::ClaimAnswered::type, "{", 0)});
  CHECK(bench.http.asked.empty());
  CHECK(bench.worker.in_flight() == 1);
  CHECK(bench.consumer.rejected.empty());
}

TEST_CASE("a bug in a conversation after the effect is in doubt, before it is deferred") {
  for (const bool has_effect : {true, false}) {
    CAPTURE(has_effect);
    Bench bench;
    bench.said.steps = {has_effect ? create_ask() : read_ask()};
    bench.said.throws = true;
    bench.job();
    bench.send();
    bench.http.answer(bench.reply(201));
    CHECK(bench.outcome().outcome == (has_effect ? Outcome::unknown : Outcome::defer));
  }
}

TEST_CASE("a resolve that was not granted in time is not one that found nothing") {
  Bench bench;
  bench.job(1, messages::JiraResolve::type);
  bench.advance(milliseconds{5'001});
  CHECK(bench.outcome().outcome == Outcome::snooze);
  CHECK(bench.outcome().reason_class != ReasonClass::absent);
}

TEST_CASE("an idle worker asks for no time") {
  Bench bench;
  bench.said.steps = {done_step()};
  bench.job();
  bench.send();
  bench.woken_at = SteadyTime::max();
  bench.confirm();
  CHECK(bench.woken_at == SteadyTime::max());
}
