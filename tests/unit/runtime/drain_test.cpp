#include "tests/unit/runtime/bench.hpp"

using namespace postroom;
using namespace postroom::worker;

namespace {
void drain(Bench& bench) { bench.worker.drain(bench.clock.steady() + milliseconds{7'000}); }
}  // namespace

TEST_CASE("an idle worker rests at once") {
  Bench bench;
  drain(bench);
  CHECK(bench.rested == 1);
}

TEST_CASE("stopped while asking: not sent") {
  Bench bench;
  bench.job();
  drain(bench);
  CHECK(bench.outcome().outcome == Outcome::not_sent);
  CHECK(bench.outcome().reason_class == ReasonClass::shutdown);
  CHECK(bench.rested == 0);
  bench.confirm();
  CHECK(bench.consumer.acked.size() == 1);
  CHECK(bench.rested == 1);
}

TEST_CASE("stopped before the request left: cancelled, not sent") {
  Bench bench;
  bench.said.steps = {create_ask()};
  bench.job();
  bench.send();
  drain(bench);
  CHECK(bench.http.asked.empty());
  CHECK(bench.outcome().outcome == Outcome::not_sent);
}

TEST_CASE("stopped during a read before the effect: not sent") {
  Bench bench;
  bench.said.steps = {read_ask()};
  bench.job();
  bench.send();
  bench.http.asked.at(1).has_left = true;
  drain(bench);
  CHECK(bench.outcome().outcome == Outcome::not_sent);
}

TEST_CASE("a request under way is awaited and reported as what it was") {
  Bench bench;
  bench.said.steps = {create_ask(), done_step()};
  bench.job();
  bench.send();
  bench.http.asked.at(1).has_left = true;
  drain(bench);
  CHECK_FALSE(bench.has_reported());
  CHECK(bench.woken_at == bench.clock.steady() + milliseconds{7'000});
  bench.advance(milliseconds{3'000});
  bench.http.answer(bench.reply(201));
  CHECK(bench.outcome().outcome == Outcome::done);
  bench.confirm();
  CHECK(bench.rested == 1);
}

TEST_CASE("a request that is still under way at the deadline is in doubt") {
  Bench bench;
  bench.said.steps = {create_ask()};
  bench.job();
  bench.send();
  bench.http.asked.at(1).has_left = true;
  drain(bench);
  bench.woken_at = SteadyTime::max();
  bench.clock.advance(milliseconds{7'000});
  bench.worker.on_time();
  CHECK(bench.outcome().outcome == Outcome::unknown);
  CHECK(bench.outcome().reason_class == ReasonClass::shutdown);
  CHECK(bench.woken_at == SteadyTime::max());  // no spinning while the report is confirmed
  bench.confirm();
  CHECK(bench.rested == 1);
}

TEST_CASE("a conversation that wants to go on after SIGTERM is stopped before its next request") {
  Bench bench;
  bench.said.steps = {create_ask(), create_ask()};  // e.g. again without the label
  bench.job();
  bench.send();
  bench.http.asked.at(1).has_left = true;
  drain(bench);
  bench.http.answer(bench.reply(400));
  CHECK(bench.http.asked.empty());
  CHECK(bench.outcome().outcome == Outcome::not_sent);
}

TEST_CASE("a resolve that is interrupted comes again and does not look like absence") {
  Bench bench;
  bench.said.steps = {read_ask()};
  bench.job(1, messages::JiraResolve::type);
  bench.send();
  drain(bench);
  CHECK(bench.outcome().outcome == Outcome::snooze);
  CHECK(bench.outcome().reason_class == ReasonClass::shutdown);
}

TEST_CASE("jobs that arrive after SIGTERM stay unacknowledged for another worker") {
  Bench bench;
  drain(bench);
  bench.job();
  CHECK(bench.publisher.sent.empty());
  CHECK(bench.consumer.acked.empty());
  CHECK(bench.consumer.rejected.empty());
}

TEST_CASE("two hundred jobs in every stage all end") {
  Bench bench;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::string id = "d" + std::to_string(i);
    bench.job(i + 1, messages::JiraCreate::type, 1, id);
    if (i % 4 == 0) continue;  // still asking
    bench.said.steps = {create_ask(), done_step()};
    bench.send();
    if (i % 4 == 1) continue;  // not yet connected
    if (i % 4 == 2) {
      bench.http.asked.at(bench.http.last_id).has_left = true;
      continue;
    }
    bench.http.answer(bench.reply(201));  // reporting
  }
  drain(bench);
  bench.clock.advance(milliseconds{7'000});
  bench.worker.on_time();
  std::map<Outcome, int> counted;
  for (std::size_t i = 0; i < bench.publisher.sent.size(); ++i) {
    const auto one = bench.publisher.sent[i];
    if (one.message.envelope.type != messages::WorkOutcome::type) continue;
    ++counted[codec::decode<messages::WorkOutcome>(one.message.body)->outcome];
    one.done(broker::Published::confirmed);
  }
  CHECK(counted[Outcome::not_sent] == 100);
  CHECK(counted[Outcome::unknown] == 50);
  CHECK(counted[Outcome::done] == 50);
  CHECK(bench.consumer.acked.size() == 200);
  CHECK(bench.rested >= 1);
}
