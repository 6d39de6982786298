// The real postroom-jira process with a real broker and the Jira simulator; the test plays the ledger.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/component/runtime/stage.hpp"

using namespace postroom;
using namespace postroom::worker;
using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void let_creates(Stage& stage, std::string rule) { stage.jira.rules(R"([{"match":{"method":"POST","path_prefix":"/rest/api/3/issue"},)" + rule + "}]"); }

// The request of a create is under way at the far side.
bool is_under_way(Stage& stage) {
  const auto reply = stage.jira.fetch({.url = stage.jira.base_url() + "/_sim/open"});
  return reply.body.find("/rest/api/3/issue") != std::string::npos;
}

}  // namespace

TEST_CASE("a job becomes one issue, its outcome is told, and the queue is empty") {
  Stage stage;
  stage.probe_base.reset();
  const auto worker = stage.start_worker();
  for (int i = 0; i < 20; ++i) stage.publish_job();
  stage.run_until([&] { return stage.outcomes.size() == 20; });
  for (const auto& outcome : stage.outcomes) CHECK(outcome.outcome == Outcome::done);
  std::set<std::string> committed;  // a slow answer is asked for again
  for (const auto& commit : stage.commits) committed.insert(commit.delivery_id);
  CHECK(committed.size() == 20);
  CHECK(stage.jira.objects().size() == 20);
  worker->send_signal(SIGTERM);
  CHECK(worker->wait() == 0);
  stage.run_until([&] { return stage.queue_depths() == "{0,0}"; });  // the broker shows depths that are up to 5 s old
}

TEST_CASE("SIGTERM awaits a request under way and reports it") {
  Stage stage;
  let_creates(stage, R"("action":"latency","before_ms":1500)");
  const auto worker = stage.start_worker();
  stage.publish_job();
  stage.run_until([&] { return is_under_way(stage); });
  const auto told = SystemClock{}.steady();
  worker->send_signal(SIGTERM);
  stage.run_until([&] { return stage.outcomes.size() == 1; });
  CHECK(stage.outcomes[0].outcome == Outcome::done);
  CHECK(worker->wait() == 0);
  CHECK(SystemClock{}.steady() - told < seconds{10});
  stage.run_until([&] { return stage.queue_depths() == "{0,0}"; });  // the broker shows depths that are up to 5 s old
}

TEST_CASE("SIGTERM with a request that never ends: in doubt, and out within ten seconds") {
  // The request is given seven of the ten seconds. The shortest of three tries: a slow disk under the broker adds to the rest, and takes nothing away.
  auto shortest = SteadyTime::duration::max();
  for (int i = 0; i < 3 && shortest >= seconds{10}; ++i) {
    Stage stage;
    let_creates(stage, R"("action":"hang")");
    const auto worker = stage.start_worker();
    stage.publish_job();
    stage.run_until([&] { return is_under_way(stage); });
    const auto told = SystemClock{}.steady();
    worker->send_signal(SIGTERM);
    stage.run_until([&] { return stage.outcomes.size() == 1; });
    CHECK(stage.outcomes[0].outcome == Outcome::unknown);
    CHECK(stage.outcomes[0].reason_class == ReasonClass::shutdown);
    CHECK(worker->wait() == 0);
    shortest = std::min(shortest, SystemClock{}.steady() - told);
  }
  CHECK(shortest < seconds{10});
}

TEST_CASE("SIGTERM while the ledger is silent: not sent, and the next worker gets what was not begun") {
  Stage stage;
  stage.answers_claims = false;
  const auto worker = stage.start_worker();
  stage.publish_job();
  stage.run_until([&] { return !stage.claims.empty(); });
  worker->send_signal(SIGTERM);
  stage.run_until([&] { return stage.outcomes.size() == 1; });
  CHECK(stage.outcomes[0].outcome == Outcome::not_sent);
  CHECK(worker->wait() == 0);
  stage.answers_claims = true;
  stage.publish_job();
  const auto next = stage.start_worker();
  stage.run_until([&] { return stage.outcomes.size() == 2; });
  CHECK(stage.outcomes[1].outcome == Outcome::done);
  CHECK(stage.jira.objects().size() == 1);
}

TEST_CASE("a worker killed at any point: the job comes back, and is dropped or done, never sent twice") {
  struct Row {
    std::string point;
    std::size_t claims, outcomes, issues;  // after everything settled; the stage does not resolve
  };
  const Row rows[] = {{"worker_before_claim", 1, 1, 1}, {"worker_after_claim", 2, 0, 0}, {"worker_before_send", 2, 0, 0},
                      {"worker_after_reply", 2, 0, 1},  {"worker_before_outcome", 2, 0, 1}, {"worker_before_ack", 2, 1, 1}};
  for (const auto& row : rows) {
    CAPTURE(row.point);
    Stage stage;
    const auto victim = stage.start_worker({"POSTROOM_CRASH_AT=" + row.point});
    stage.publish_job();
    stage.run_until([&] { return victim->has_ended(); });
    CHECK(victim->wait() == 137);
    const auto next = stage.start_worker();
    stage.run_until([&] { return stage.claims.size() >= row.claims && stage.outcomes.size() >= row.outcomes; });
    stage.run_until([&] { return stage.queue_depths() == "{0,0}"; });
    std::set<std::string> tokens;  // a slow answer is asked for again with the same one
    for (const auto& claim : stage.claims) tokens.insert(claim.token);
    CHECK(tokens.size() == row.claims);
    CHECK(stage.outcomes.size() == row.outcomes);
    CHECK(stage.jira.objects().size() == row.issues);
  }
}

TEST_CASE("a worker that was stopped after its claim sends nothing when it goes on") {
  Stage stage{milliseconds{1'500}};
  const auto worker = stage.start_worker();
  stage.on_claim = [&](const messages::WorkClaim&) { worker->send_signal(SIGSTOP); };
  stage.publish_job();
  stage.run_until([&] { return !stage.claims.empty(); });
  stage.on_claim = [](const messages::WorkClaim&) {};
  const auto until = SystemClock{}.steady() + milliseconds{2'000};  // longer than the first byte may take
  stage.run_until([&] { return SystemClock{}.steady() > until; });
  worker->send_signal(SIGCONT);
  stage.run_until([&] { return stage.outcomes.size() == 1; });
  CHECK(stage.outcomes[0].outcome == Outcome::not_sent);
  CHECK(stage.jira.objects().size() == 0);
}

TEST_CASE("the broker dies under a conversation: it goes on, and is reported when the link is back") {
  Stage stage;
  support::Restored restored{support::Rabbit::shared()};
  let_creates(stage, R"("action":"latency","before_ms":2000,"times":1)");
  const auto worker = stage.start_worker();
  stage.publish_job();
  stage.run_until([&] { return is_under_way(stage); });
  support::Rabbit::shared().kill();
  support::Rabbit::shared().start();
  stage.run_until([&] { return !stage.outcomes.empty(); });
  CHECK(stage.outcomes[0].outcome == Outcome::done);
  stage.run_until([&] { return stage.queue_depths() == "{0,0}"; });  // the redelivered job is dropped
  CHECK(stage.jira.objects().size() == 1);
  stage.publish_job();
  stage.run_until([&] { return stage.jira.objects().size() == 2; });
}

TEST_CASE("what cannot be read goes to the standby shelf") {
  Stage stage;
  const auto worker = stage.start_worker();
  stage.publish_job("jira.create.v9", R"({"delivery_id":"x"})");
  stage.publish_job(messages::JiraCreate::type, R"({"delivery_id":)");
  stage.run_until([&] { return stage.shelved == 2; });
  stage.run_until([&] { return stage.queue_depths() == "{0,0}"; });  // the broker shows depths that are up to 5 s old
}

TEST_CASE("a connection test is answered without a claim") {
  Stage stage;
  const auto worker = stage.start_worker();
  messages::JiraTest test;
  test.test_id = "test-1";
  test.site = stage.site();
  test.mapping = messages::JiraMapping{"SUP", "Task", {}, {}};
  stage.publish_job(messages::JiraTest::type, codec::encode(test));
  stage.run_until([&] { return stage.tests.size() == 1; });
  CHECK(stage.tests[0].passed);
  CHECK(stage.tests[0].connection_id == "connection");
  CHECK(stage.claims.empty());
}

TEST_CASE("wrong arguments and a wrong home end with status 2 and a word") {
  support::Child no_home{{POSTROOM_BINARY_DIR "/postroom-jira", "--config", "/nonexistent"}, support::Child::Ending::terminate, {"POSTROOM_ALLOW_ROOT=1"}, "/dev/null"};
  CHECK(no_home.wait() == 2);
  support::Child odd{{POSTROOM_BINARY_DIR "/postroom-jira", "--verbose"}, support::Child::Ending::terminate, {"POSTROOM_ALLOW_ROOT=1"}, "/dev/null"};
  CHECK(odd.wait() == 2);
}

TEST_CASE("an idle worker is small and sleeps") {
  Stage stage;
  const auto worker = stage.start_worker();
  for (int i = 0; i < 50; ++i) stage.publish_job();
  stage.run_until([&] { return stage.outcomes.size() == 50; });
  const std::string proc = "/proc/" + std::to_string(worker->pid());
  const auto sum_of = [&](const std::string& file, std::string_view name) {
    long sum = 0;
    std::ifstream lines{proc + file};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name)) sum += std::stol(line.substr(line.find_first_of("0123456789")));
    }
    return sum;
  };
  const auto switches = [&] {
    long sum = 0;
    for (const auto& task : std::filesystem::directory_iterator{proc + "/task"}) {
      sum += sum_of("/task/" + task.path().filename().string() + "/status", "voluntary_ctxt_switches");
    }
    return sum;
  };
  // The fewest of three tries: a busy machine adds wake-ups and takes none away.
  long woken = 1'000'000;
  for (int i = 0; i < 3 && woken >= 30; ++i) {
    const long before = switches();
    const auto until = SystemClock{}.steady() + seconds{5};
    stage.run_until([&] { return SystemClock{}.steady() > until; });
    woken = std::min(woken, switches() - before);
  }
  const long private_kib = sum_of("/smaps_rollup", "Private_");
  MESSAGE("private " << private_kib << " KiB, proportional " << sum_of("/smaps_rollup", "Pss:") << " KiB, woken " << woken << " times in 5 s");
  CHECK(woken < 30);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(private_kib < 8'192);
#endif
}
