// The delivery's way, step by step, and every place where it may break.

#include "tests/unit/ledger/world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::Outcome;
using messages::ReasonClass;
using store::DeliveryState;
using store::DeliveryStep;

TEST_CASE("a delivery goes out, is claimed, is done, and leaves its object, mark and a free place behind") {
  World world;
  world.dispatch();
  CHECK(world.state.delivery->state == DeliveryState::dispatched);
  CHECK(world.state.delivery->dispatch_no == 1);
  CHECK(world.state.destination->in_flight == 1);
  REQUIRE(world.last.must_arrive.size() == 1);
  CHECK(world.last.must_arrive[0].routing_key == "jira");
  CHECK(world.last.must_arrive[0].envelope.type == "jira.create.v1");

  world.claim();
  const auto answer = world.answered();
  CHECK(answer.verdict == ClaimVerdict::send);
  REQUIRE(answer.grant.has_value());
  CHECK(answer.grant->marker == "11111111-1111-4111-8111-111111111111.delivery");
  CHECK(answer.grant->target.jira->project_key == "SUP");
  CHECK(answer.grant->ticket.url == "https://desk.example/v1/tickets/ticket");
  CHECK_FALSE(answer.grant->probe_base.has_value());
  CHECK(world.state.delivery->maybe_sent);
  CHECK(world.state.delivery->sent_at == world.context.now);
  CHECK(world.state.delivery->due_at == world.context.now + (5 + 30 + 120) * second);

  world.report_done();
  CHECK(world.state.delivery->state == DeliveryState::done);
  CHECK(world.state.delivery->due_at == 0);
  CHECK(world.state.destination->in_flight == 0);
  CHECK(world.state.connection->state == store::ConnectionState::ok);
  REQUIRE(world.state.externals.size() == 1);
  CHECK(world.state.externals[0].remote_id == "10001");
  REQUIRE(world.state.mark.has_value());
  CHECK(world.state.mark->value == 17);
  CHECK(world.state.mark->scope == "SUP");
}

TEST_CASE("the same token gets the same answer, another is told to drop") {
  World world;
  world.dispatch();
  world.claim("first");
  const auto before = world.answered();
  world.pass(2 * second);
  world.claim("first");
  CHECK(world.answered().verdict == ClaimVerdict::send);
  CHECK(world.answered().grant == before.grant);
  CHECK(world.state.delivery->sent_at == world.context.now);  // the later word is the one before the send
  world.claim("second");
  CHECK(world.answered().verdict == ClaimVerdict::drop);
  CHECK(world.state.delivery->token == "first");
}

TEST_CASE("an older dispatch is told to drop") {
  World world;
  world.dispatch();
  world.pass(61 * second);
  world.carry_out(decide_silence(world.state, world.context));
  CHECK(world.state.delivery->state == DeliveryState::waiting);
  CHECK(world.state.destination->in_flight == 0);
  world.dispatch();
  world.receive(messages::WorkClaim{"delivery", 1, "late", "jira-1"});
  CHECK(world.answered().verdict == ClaimVerdict::drop);
  CHECK(world.state.delivery->state == DeliveryState::dispatched);
}

TEST_CASE("a claim is held back when the connection was paused or its circuit opened meanwhile") {
  for (const bool is_paused : {true, false}) {
    World world;
    world.dispatch();
    if (is_paused) {
      world.state.connection->is_paused = true;
    } else {
      world.state.destination->circuit = store::Circuit::open;
    }
    world.claim();
    CHECK(world.answered().verdict == ClaimVerdict::drop);
    CHECK(world.state.delivery->state == DeliveryState::waiting);
    CHECK_FALSE(world.state.delivery->maybe_sent);
    CHECK(world.state.destination->in_flight == 0);
  }
}

TEST_CASE("a commit stores the probed number, moves the time of sending, and serves the next delivery") {
  World world;
  world.dispatch();
  world.claim();
  world.pass(3 * second);
  world.receive(messages::WorkCommit{"delivery", 1, "token", 41});
  CHECK(world.answered().verdict == ClaimVerdict::send);
  CHECK(world.answered().asked == "work.commit.v1");
  CHECK(world.state.delivery->probe_base == 41);
  CHECK(world.state.delivery->sent_at == world.context.now);
  CHECK(world.state.mark->value == 41);
  const auto committed = *world.state.delivery;
  world.pass(1 * second);
  for (const auto& [dispatch_no, token] : {std::pair{1, "another"}, {0, "token"}, {2, "token"}}) {
    CAPTURE(dispatch_no);
    world.receive(messages::WorkCommit{"delivery", dispatch_no, token, 99});
    CHECK(world.answered().verdict == ClaimVerdict::drop);
    CHECK(*world.state.delivery == committed);
  }
}

TEST_CASE("outcomes of a send") {
  struct Case {
    const char* name;
    Outcome outcome;
    ReasonClass reason;
    DeliveryState state;
    DeliveryStep step;
    bool maybe_sent;
    std::int64_t attempts;
    std::int64_t snoozes;
    std::int64_t wait;  // until due; -1 = none
  };
  const Case cases[] = {
      {"deferred", Outcome::defer, ReasonClass::server_error, DeliveryState::waiting, DeliveryStep::send, false, 1, 0, 1'500'000},
      {"rate limited", Outcome::snooze, ReasonClass::rate_limited, DeliveryState::waiting, DeliveryStep::send, false, 0, 1, 500'000},
      {"worker shuts down", Outcome::not_sent, ReasonClass::shutdown, DeliveryState::waiting, DeliveryStep::send, false, 0, 1, 500'000},
      {"no way there", Outcome::not_sent, ReasonClass::unreachable, DeliveryState::waiting, DeliveryStep::send, false, 1, 0, 1'500'000},
      {"in doubt", Outcome::unknown, ReasonClass::timeout, DeliveryState::waiting, DeliveryStep::resolve, true, 0, 0, 150 * second},
      {"refused", Outcome::refuse, ReasonClass::invalid_data, DeliveryState::standby, DeliveryStep::send, false, 0, 0, -1},
      {"done without an object", Outcome::done, ReasonClass::none, DeliveryState::waiting, DeliveryStep::resolve, true, 0, 0, 150 * second},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    World world;
    world.dispatch();
    world.claim();
    world.report(one.outcome, one.reason);
    const auto& row = *world.state.delivery;
    CHECK(row.state == one.state);
    CHECK(row.step == one.step);
    CHECK(row.maybe_sent == one.maybe_sent);
    CHECK(row.attempts == one.attempts);
    CHECK(row.snoozes == one.snoozes);
    CHECK(row.token.empty());
    CHECK(world.state.destination->in_flight == 0);
    CHECK((row.due_at == 0 ? -1 : row.due_at - world.context.now) == one.wait);
  }
}

TEST_CASE("outcomes of a resolve keep the doubt") {
  struct Case {
    const char* name;
    Outcome outcome;
    ReasonClass reason;
    std::int64_t attempts;
    std::int64_t wait;
  };
  const Case cases[] = {
      {"deferred", Outcome::defer, ReasonClass::server_error, 1, 1'500'000},
      {"snoozed", Outcome::snooze, ReasonClass::rate_limited, 0, 500'000},
      {"not looked up", Outcome::not_sent, ReasonClass::shutdown, 0, 500'000},
      {"nobody knows", Outcome::unknown, ReasonClass::timeout, 1, 1'500'000},
      {"absent once", Outcome::not_sent, ReasonClass::absent, 0, 120 * second},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    World world;
    world.dispatch();
    world.claim();
    world.report(Outcome::unknown, ReasonClass::timeout);
    world.pass(150 * second);
    const std::int64_t sent_at = world.state.delivery->sent_at;
    world.dispatch();
    CHECK(world.last.must_arrive[0].envelope.type == "jira.resolve.v1");
    world.claim();
    CHECK(world.answered().grant->sent_at_us == sent_at);
    world.report(one.outcome, one.reason);
    const auto& row = *world.state.delivery;
    CHECK(row.state == DeliveryState::waiting);
    CHECK(row.step == DeliveryStep::resolve);
    CHECK(row.maybe_sent);
    CHECK(row.sent_at == sent_at);
    CHECK(row.attempts == one.attempts);
    CHECK(row.due_at - world.context.now == one.wait);
  }
}

TEST_CASE("absent twice, a settling time apart, sends again and spends an attempt") {
  World world;
  world.dispatch();
  world.claim();
  world.report(Outcome::unknown, ReasonClass::timeout);
  for (int i = 0; i < 2; ++i) {
    CHECK(world.state.delivery->step == DeliveryStep::resolve);
    world.pass(150 * second);
    world.dispatch();
    world.claim();
    world.report(Outcome::not_sent, ReasonClass::absent);
  }
  const auto& row = *world.state.delivery;
  CHECK(row.state == DeliveryState::waiting);
  CHECK(row.step == DeliveryStep::send);
  CHECK_FALSE(row.maybe_sent);
  CHECK(row.attempts == 1);
  CHECK(row.due_at == world.context.now);
}

TEST_CASE("a worker that falls silent after its claim leaves a doubt, and a late done ends it") {
  World world;
  world.dispatch();
  world.claim();
  world.pass(154 * second);
  world.carry_out(decide_silence(world.state, world.context));
  CHECK(world.state.delivery->state == DeliveryState::claimed);  // not yet
  world.pass(1 * second);
  world.carry_out(decide_silence(world.state, world.context));
  CHECK(world.state.delivery->step == DeliveryStep::resolve);
  CHECK(world.state.delivery->maybe_sent);
  CHECK(world.state.destination->in_flight == 0);
  // Somebody had it after all.
  auto late = world.outcome_of(Outcome::done);
  late.remote = messages::Remote{"10001", "SUP-17", "https://x", 17};
  world.dispatch();
  world.receive(late);
  CHECK(world.state.delivery->state == DeliveryState::done);
  CHECK(world.state.destination->in_flight == 0);
}

TEST_CASE("done twice with one object changes nothing; with another object it is an alarm") {
  World world;
  world.dispatch();
  world.claim();
  world.report_done("10001");
  const auto before = *world.state.delivery;
  world.report_done("10001");
  CHECK(*world.state.delivery == before);
  CHECK(world.state.externals.size() == 1);
  CHECK(world.last.notices.empty());
  world.report_done("10002", 18);
  REQUIRE(world.last.notices.size() == 1);
  CHECK(world.last.notices[0].is_alarm);
  CHECK(world.last.notices[0].correlation_id == "arrival");
  REQUIRE(world.state.externals.size() == 2);
  CHECK(world.state.externals[1].state == store::ExternalState::duplicate);
  CHECK(world.has_noted("duplicate_found"));
}

TEST_CASE("an object that another delivery owns is never recorded twice") {
  World world;
  world.dispatch();
  world.claim();
  store::ExternalTicketRow owned;
  owned.delivery_id = "another delivery";
  owned.remote_id = "10001";
  world.state.remote_owner = owned;
  world.report_done("10001");
  CHECK(std::ranges::count_if(world.last.notices, &Notice::is_alarm) == 1);
  CHECK(world.state.externals.empty());
  CHECK(world.state.delivery->state == DeliveryState::standby);
}

TEST_CASE("outcomes with a wrong token or of an older dispatch are noted and dropped") {
  World world;
  world.dispatch();
  world.claim();
  const auto before = *world.state.delivery;
  auto stranger = world.outcome_of(Outcome::refuse, ReasonClass::invalid_data);
  stranger.token = "stranger";
  world.receive(stranger);
  auto older = world.outcome_of(Outcome::defer, ReasonClass::server_error);
  older.dispatch_no = 0;
  world.receive(older);
  CHECK(*world.state.delivery == before);
  CHECK(world.has_noted("outcome_dropped"));
}

TEST_CASE("attempts spent put it on standby, once") {
  World world;
  for (std::int64_t i = 0; i < world.config.delivery.max_attempts; ++i) {
    CHECK(world.state.delivery->state == DeliveryState::waiting);
    world.state.destination->circuit = store::Circuit::closed;
    world.dispatch();
    world.claim();
    world.report(Outcome::defer, ReasonClass::server_error);
  }
  CHECK(world.state.delivery->state == DeliveryState::standby);
  REQUIRE(world.state.item.has_value());
  CHECK(world.state.item->state == messages::StandbyState::open);
  CHECK(world.state.item->reason_class == "server_error");
  CHECK(world.state.item->subject_id == "delivery");
}

TEST_CASE("waiting grows, is capped, and obeys the far side's wish") {
  World world;
  world.config.delivery.max_attempts = 100;
  std::int64_t last_wait = 0;
  for (int i = 0; i < 20; ++i) {
    world.state.destination->circuit = store::Circuit::closed;
    world.dispatch();
    world.claim();
    world.report(Outcome::defer, ReasonClass::server_error);
    const std::int64_t wait = world.state.delivery->due_at - world.context.now;
    CHECK(wait >= last_wait);
    CHECK(wait <= 3600 * second);
    last_wait = wait;
  }
  CHECK(last_wait == 2700 * second);  // three quarters of the cap, with chance at a half
  world.state.destination->circuit = store::Circuit::closed;
  world.dispatch();
  world.claim();
  auto wish = world.outcome_of(Outcome::defer, ReasonClass::server_error);
  wish.after_ms = 999'999'999;
  world.receive(wish);
  CHECK(world.state.delivery->due_at - world.context.now == 3600 * second);  // clamped
}

TEST_CASE("a wrong password opens the circuit, marks the connection, and what waits is shelved without a call") {
  World world;
  world.dispatch();
  world.claim();
  world.report(Outcome::refuse, ReasonClass::credentials);
  CHECK(world.state.delivery->state == DeliveryState::standby);
  CHECK(world.state.connection->state == store::ConnectionState::failing);
  CHECK(world.state.connection->reason == "because");
  CHECK(world.state.destination->circuit == store::Circuit::open);

  World second_one;
  second_one.state.destination = world.state.destination;
  second_one.state.connection = world.state.connection;
  second_one.carry_out(decide_dispatch(second_one.state, second_one.context, true));
  CHECK(second_one.state.delivery->state == DeliveryState::standby);
  CHECK(second_one.state.item->reason_class == "credentials");
  CHECK(second_one.state.item->group_key == world.state.item->group_key);
  CHECK(second_one.last.must_arrive.empty());
}

TEST_CASE("a refusal of credentials that were replaced meanwhile is not held against the new ones") {
  World world;
  world.dispatch();
  world.claim();
  world.state.connection->updated_at = world.context.now + 1;
  world.pass(second);
  world.report(Outcome::refuse, ReasonClass::credentials);
  CHECK(world.state.delivery->state == DeliveryState::waiting);
  CHECK(world.state.delivery->attempts == 0);
  CHECK(world.state.destination->circuit == store::Circuit::closed);
}

TEST_CASE("maybe_sent survives standby: the retry looks it up first, not before it is settled") {
  World world;
  world.config.delivery.max_attempts = 1;
  world.dispatch();
  world.claim();
  const std::int64_t sent_at = world.state.delivery->sent_at;
  world.report(Outcome::unknown, ReasonClass::timeout);
  world.dispatch();
  world.claim();
  world.report(Outcome::defer, ReasonClass::server_error);
  REQUIRE(world.state.delivery->state == DeliveryState::standby);
  CHECK(world.state.delivery->maybe_sent);
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  CHECK(world.state.delivery->state == DeliveryState::waiting);
  CHECK(world.state.delivery->step == DeliveryStep::resolve);
  CHECK(world.state.delivery->due_at == sent_at + 155 * second);
  CHECK(world.state.item->state == messages::StandbyState::retry_pending);
  world.dispatch();
  world.claim();
  world.report_done();
  CHECK(world.state.item->state == messages::StandbyState::resolved);
}

TEST_CASE("a board that keeps its tickets on the desk by now needs no delivery any more") {
  World world;
  world.dispatch();
  world.claim();
  world.report(Outcome::refuse, ReasonClass::invalid_data);
  world.state.board->connection_id.reset();
  world.state.board->target = R"({"kind":"desk"})";
  World in_doubt = world;
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  CHECK(world.last.status == 200);
  CHECK(world.state.delivery->state == DeliveryState::cancelled);
  CHECK(world.state.item->state == messages::StandbyState::resolved);
  in_doubt.state.delivery->maybe_sent = true;
  in_doubt.receive(messages::StandbyRetry{in_doubt.state.item->id, "ada", {}});
  CHECK(in_doubt.state.delivery->step == DeliveryStep::resolve);
}

TEST_CASE("a board that points elsewhere takes its shelved delivery along, unless it is in doubt") {
  World world;
  world.dispatch();
  world.claim();
  world.report(Outcome::refuse, ReasonClass::invalid_data);
  world.state.board->connection_id = "cards";
  world.state.board->target_kind = messages::TargetKind::trello;
  world.state.board->target = R"({"kind":"trello","connection_id":"cards","trello":{"board_id":"b","list_id":"l"}})";
  World in_doubt = world;
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  CHECK(world.state.delivery->destination_id == "cards");
  CHECK(world.state.delivery->worker == "trello");
  in_doubt.state.delivery->maybe_sent = true;
  in_doubt.receive(messages::StandbyRetry{in_doubt.state.item->id, "ada", {}});
  CHECK(in_doubt.state.delivery->destination_id == "site");
  CHECK(in_doubt.state.delivery->step == DeliveryStep::resolve);
}

TEST_CASE("a job that no worker could take spends an attempt, but only the current one") {
  World world;
  world.dispatch();
  auto properties = world.envelope(messages::JiraCreate::type);
  messages::JiraCreate job;
  job.delivery_id = "delivery";
  job.ticket_id = "ticket";
  const auto dead = [&](std::int64_t dispatch_no) {
    job.dispatch_no = dispatch_no;
    const std::string body = codec::encode(job);
    world.carry_out(decide_dead_letter(world.state, Incoming{properties, "standby", "jira", "standby", R"({"reason":"rejected"})", body}, world.context));
  };
  dead(world.state.delivery->dispatch_no - 1);
  CHECK(world.state.delivery->state == DeliveryState::dispatched);
  dead(world.state.delivery->dispatch_no);
  CHECK(world.state.delivery->state == DeliveryState::waiting);
  CHECK(world.state.delivery->attempts == 1);
  CHECK(world.state.delivery->due_at > world.context.now);
  CHECK(world.state.destination->in_flight == 0);
}

TEST_CASE("after the clock was set back, refused credentials do not pass for old ones") {
  World world;
  world.state.connection->updated_at = world.context.now + 3600 * second;
  world.dispatch();
  world.claim();
  world.report(Outcome::refuse, ReasonClass::credentials);
  CHECK(world.state.delivery->state == DeliveryState::standby);
}

TEST_CASE("an old mark is no place to begin a search: the worker is asked to look for a newer one") {
  World world;
  world.state.mark = store::RemoteMarkRow{"site", "SUP", 41, world.context.now - 60 * second};
  World later = world;
  later.pass(3600 * second);
  world.dispatch();
  world.claim();
  CHECK(world.answered().grant->probe_base == 41);
  later.dispatch();
  later.claim();
  CHECK_FALSE(later.answered().grant->probe_base.has_value());
}
