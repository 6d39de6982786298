// Deliveries through the whole ledger: every window in which a worker, or we, may die; pacing; dead far sides.

#include <map>

#include "tests/component/ledger/house.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::Outcome;
using messages::ReasonClass;
using store::DeliveryState;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {


struct Site : House {
  Site() {
    make_connection("site");
    make_board("board", "site");
  }
};

}  // namespace

TEST_CASE("killed before its claim: the job is dispatched again, and the older one is told to drop") {
  Site house;
  const std::string id = house.post("board");
  const auto first = house.jobs();
  REQUIRE(first.size() == 1);
  house.pass(seconds{59});
  CHECK(house.jobs().empty());
  house.pass(seconds{1});
  const auto second = house.jobs();
  REQUIRE(second.size() == 1);
  CHECK(second[0].dispatch_no == 2);
  CHECK(house.claim(first[0], "old").verdict == ClaimVerdict::drop);
  CHECK(house.claim(second[0], "new").verdict == ClaimVerdict::send);
  house.check_balance();
}

TEST_CASE("killed between claim and outcome: looked up twice before it is sent again, never earlier") {
  Site house;
  house.post("board");
  auto job = house.jobs().at(0);
  house.claim(job);
  const auto claimed_at = house.clock.steady();
  house.pass(seconds{154});
  CHECK(house.jobs().empty());
  CHECK(house.jobs("jira.resolve.v1").empty());
  house.pass(seconds{1});
  job = house.jobs("jira.resolve.v1").at(0);
  house.claim(job);
  house.report(job, Outcome::not_sent, ReasonClass::absent);
  house.pass(seconds{119});
  CHECK(house.jobs("jira.resolve.v1").empty());
  house.pass(seconds{1});
  job = house.jobs("jira.resolve.v1").at(0);
  house.claim(job);
  CHECK(house.jobs().empty());
  house.report(job, Outcome::not_sent, ReasonClass::absent);
  CHECK(house.jobs().size() == 1);
  CHECK(house.clock.steady() - claimed_at >= seconds{30 + 120});
  house.check_balance();
}

TEST_CASE("killed after the far side had it: the look-up adopts it") {
  Site house;
  const std::string id = house.post("board");
  house.claim(house.jobs().at(0));
  house.pass(seconds{155});
  const auto job = house.jobs("jira.resolve.v1").at(0);
  house.claim(job);
  house.report(job, Outcome::done);
  CHECK(house.ticket(id).external.has_value());
  house.pass(seconds{10'000});
  CHECK(house.jobs().empty());
  house.check_balance();
}

TEST_CASE("a late done ends the doubt; the look-up under way is told to drop") {
  Site house;
  const std::string id = house.post("board");
  const auto job = house.jobs().at(0);
  house.claim(job);
  house.pass(seconds{155});
  const auto lookup = house.jobs("jira.resolve.v1").at(0);
  house.report(job, Outcome::done);
  CHECK(house.ticket(id).delivery->state == DeliveryState::done);
  CHECK(house.claim(lookup).verdict == ClaimVerdict::drop);
  CHECK(house.number("SELECT COUNT(*) FROM external_tickets") == 1);
  house.check_balance();
}

TEST_CASE("two workers with one job: one sends; a second object is an alarm") {
  Site house;
  house.post("board");
  const auto job = house.jobs().at(0);
  CHECK(house.claim(job, "one").verdict == ClaimVerdict::send);
  CHECK(house.claim(job, "two").verdict == ClaimVerdict::drop);
  house.report(job, Outcome::done, ReasonClass::none, "two");
  house.report(job, Outcome::done, ReasonClass::none, "one");
  CHECK(house.number("SELECT COUNT(*) FROM external_tickets WHERE state = 'linked'") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM external_tickets WHERE state = 'duplicate'") == 1);
}

TEST_CASE("the ledger dies at any moment and goes on where its database stands") {
  Site house;
  const std::string id = house.post("board");
  house.die();
  house.settle();
  auto job = house.jobs().at(0);
  house.claim(job);
  house.die();
  house.settle();
  house.report(job, Outcome::unknown, ReasonClass::timeout);
  house.die();
  house.pass(seconds{150});
  job = house.jobs("jira.resolve.v1").at(0);
  house.claim(job);
  house.die();
  house.report(job, Outcome::done);
  CHECK(house.ticket(id).delivery->state == DeliveryState::done);
  house.check_balance();
}

TEST_CASE("claims and outcomes that are delivered twice change nothing the second time") {
  Site house;
  house.post("board");
  const auto job = house.jobs().at(0);
  CHECK(house.claim(job).verdict == ClaimVerdict::send);
  CHECK(house.claim(job).verdict == ClaimVerdict::send);
  house.report(job, Outcome::defer, ReasonClass::server_error);
  house.report(job, Outcome::defer, ReasonClass::server_error);
  CHECK(house.number("SELECT attempts FROM deliveries") == 1);
  house.check_balance();
}

TEST_CASE("a destination has at most a window of jobs out, oldest first") {
  Site house;
  std::vector<std::string> posted;
  for (int i = 0; i < 30; ++i) posted.push_back(house.post("board", false));
  house.settle();
  auto jobs = house.jobs();
  REQUIRE(jobs.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) CHECK(jobs[i].ticket_id == posted[i]);
  house.claim(jobs[0]);
  house.report(jobs[0], Outcome::done);
  jobs = house.jobs();
  REQUIRE_FALSE(jobs.empty());
  CHECK(jobs[0].ticket_id == posted[8]);
  house.check_balance();
}

TEST_CASE("a dead site with a thousand waiting tickets does not delay another site's ticket") {
  Site house;
  house.make_connection("dead");
  house.make_board("grave", "dead");
  for (int i = 0; i < 1'000; ++i) house.post("grave", false);
  house.settle();
  for (int i = 0; i < 5; ++i) {
    for (const auto& job : house.jobs()) {
      house.claim(job);
      house.report(job, Outcome::defer, ReasonClass::unreachable);
    }
  }
  CHECK(house.number("SELECT COUNT(*) FROM destinations WHERE circuit = 'open'") == 1);
  CHECK(house.jobs().empty());
  house.post("board");
  const auto jobs = house.jobs();
  REQUIRE(jobs.size() == 1);
  house.claim(jobs[0]);
  house.report(jobs[0], Outcome::done);
  // One probe each quarter of a minute, and no more.
  house.pass(seconds{15});
  CHECK(house.jobs().size() == 1);
  house.check_balance();
}

TEST_CASE("a far side that says Retry-After is left alone that long, as a whole") {
  Site house;
  house.post("board", false);
  house.post("board", false);
  house.settle();
  const auto jobs = house.jobs();
  REQUIRE(jobs.size() == 2);
  house.claim(jobs[0]);
  messages::WorkOutcome pushed_back{jobs[0].delivery_id, jobs[0].dispatch_no, "token", Outcome::snooze, ReasonClass::rate_limited, "429", 429, 30'000, {}, {}, {}, {}};
  house.result(pushed_back);
  house.claim(jobs[1]);
  house.report(jobs[1], Outcome::not_sent, ReasonClass::shutdown);
  house.post("board");
  house.pass(milliseconds{29'999});
  CHECK(house.jobs().empty());
  house.pass(milliseconds{1});
  CHECK(house.jobs().size() == 3);
  CHECK(house.number("SELECT SUM(attempts) FROM deliveries") == 0);
}

TEST_CASE("503, then 401: all end on standby with the reason; a new token and one bulk retry deliver all, once") {
  Site house;
  std::vector<std::string> posted;
  for (int i = 0; i < 20; ++i) posted.push_back(house.post("board", false));
  house.settle();
  for (const auto& job : house.jobs()) {
    house.claim(job);
    house.report(job, Outcome::defer, ReasonClass::server_error);
  }
  house.pass(seconds{15});
  const auto probe = house.jobs();
  REQUIRE(probe.size() == 1);
  house.claim(probe[0]);
  house.report(probe[0], Outcome::refuse, ReasonClass::credentials);
  CHECK(house.number("SELECT COUNT(*) FROM deliveries WHERE state = 'standby'") == 20);
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'open' AND reason_class = 'credentials'") == 20);
  CHECK(house.number("SELECT COUNT(DISTINCT group_key) FROM standby") == 1);
  CHECK((*house.reading->connection("site"))->state == store::ConnectionState::failing);

  messages::ConnectionUpdate rotate;
  rotate.connection_id = "site";
  rotate.actor = "ada";
  rotate.secret_sealed = "fresh";
  CHECK(house.command(rotate).status == 200);
  const std::string bulk = house.ids.next();
  messages::StandbyFilter filter;
  filter.reason_class = "credentials";
  CHECK(house.command(messages::StandbyRetryMany{"ada", messages::BulkAction::retry, filter, {}}, bulk).status == 202);
  std::map<std::string, int> created;
  for (int i = 0; i < 100 && created.size() < 20; ++i) {
    for (const auto& job : house.jobs()) {
      const auto answer = house.claim(job);
      REQUIRE(answer.verdict == ClaimVerdict::send);
      CHECK(answer.grant->site.secret_sealed == "fresh");
      ++created[job.ticket_id];
      house.report(job, Outcome::done);
    }
    house.pass(milliseconds{100});
  }
  CHECK(created.size() == 20);
  for (const auto& [id, times] : created) CHECK(times == 1);
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'resolved'") == 20);
  CHECK((*house.reading->command(bulk))->status == 200);
  CHECK((*house.reading->command(bulk))->result.find("\"done\":20") != std::string::npos);
  CHECK((*house.reading->connection("site"))->state == store::ConnectionState::ok);
  house.check_balance();
}

TEST_CASE("a paused connection gets nothing, and everything when it goes on") {
  Site house;
  messages::ConnectionUpdate pause;
  pause.connection_id = "site";
  pause.actor = "ada";
  pause.is_paused = true;
  CHECK(house.command(pause).status == 200);
  house.post("board");
  house.pass(seconds{3600});
  CHECK(house.jobs().empty());
  pause.is_paused = false;
  CHECK(house.command(pause).status == 200);
  CHECK(house.jobs().size() == 1);
}

TEST_CASE("when the wall clock is set, waiting does not become shorter or longer") {
  for (const auto step : {std::chrono::hours{24}, std::chrono::hours{-24}}) {
    CAPTURE(step.count());
    Site house;
    house.post("board");
    const auto job = house.jobs().at(0);
    house.claim(job);
    house.clock.jump_wall(step);
    house.settle();
    CHECK(house.jobs("jira.resolve.v1").empty());
    house.pass(seconds{154});
    CHECK(house.jobs("jira.resolve.v1").empty());
    house.pass(seconds{1});
    CHECK(house.jobs("jira.resolve.v1").size() == 1);
  }
}

TEST_CASE("while the broker is away nothing is dispatched again for its silence") {
  Site house;
  house.post("board");
  CHECK(house.jobs().size() == 1);
  house.publisher.link = broker::LinkState::connecting;
  house.pass(seconds{600});
  CHECK(house.jobs().empty());
  house.publisher.link = broker::LinkState::open;
  house.settle();
  CHECK(house.jobs().size() == 1);
}

TEST_CASE("a delivery that cannot be decided is put off with an alarm and stops nobody") {
  Site house;
  const std::string broken = house.post("board", false);
  house.settle();
  for (const auto& job : house.jobs()) house.claim(job);
  house.database.failing_text = "UPDATE deliveries SET state = ?1, step";
  house.pass(seconds{155});
  CHECK(house.rounds->trouble().empty());
  house.post("board");
  CHECK(house.jobs().size() == 1);
  house.database.failing_text.clear();
  house.pass(seconds{60});
  CHECK(house.jobs("jira.resolve.v1").size() == 1);
}
