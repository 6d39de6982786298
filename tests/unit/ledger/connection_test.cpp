#include "tests/unit/ledger/world.hpp"

using namespace postroom;
using namespace postroom::ledger;

TEST_CASE("a connection comes with its destination and never shows its secret") {
  World world;
  world.state.connection.reset();
  world.state.destination.reset();
  world.receive(messages::ConnectionCreate{"new", "ada", "Site", messages::ConnectionKind::jira, "https://x", "ada@example", "v1.sealed"});
  CHECK(world.last.status == 201);
  CHECK(world.state.connection->secret_sealed == "v1.sealed");
  CHECK(world.last.answer.find("sealed") == std::string::npos);
  REQUIRE(world.state.destination.has_value());
  CHECK(world.state.destination->window_size == world.config.delivery.window_start);
}

TEST_CASE("new settings forget what was known of the old ones and wake the destination") {
  World world;
  world.state.connection->state = store::ConnectionState::failing;
  world.state.destination->circuit = store::Circuit::open;
  world.state.destination->paused_until = INT64_MAX;
  messages::ConnectionUpdate update;
  update.connection_id = "site";
  update.actor = "ada";
  update.name = "Renamed";
  world.receive(update);
  CHECK(world.state.destination->circuit == store::Circuit::open);  // a name changes nothing out there
  update.secret_sealed = "v1.new";
  world.receive(update);
  CHECK(world.last.status == 200);
  CHECK(world.state.connection->state == store::ConnectionState::unknown);
  CHECK(world.state.destination->circuit == store::Circuit::closed);
  CHECK(world.state.destination->paused_until == 0);
  CHECK(world.last.touched == std::vector<std::string>{"site"});
}

TEST_CASE("a connection in use is not deleted") {
  World world;
  world.state.is_connection_used = true;
  world.receive(messages::ConnectionDelete{"site", "ada", {}});
  CHECK(world.last.status == 409);
}

TEST_CASE("a test is a job, answered when its outcome is in, once") {
  World world;
  world.receive(messages::ConnectionTest{"site", "ada", "board"});
  CHECK(world.last.status == 202);
  CHECK(world.last.is_answered_later);
  REQUIRE(world.last.must_arrive.size() == 1);
  CHECK(world.last.must_arrive[0].routing_key == "jira.test");
  const auto job = codec::decode<messages::JiraTest>(world.last.must_arrive[0].body);
  REQUIRE(job.ok());
  CHECK(job->mapping->project_key == "SUP");
  for (const auto& change : world.last.changes) {
    if (const auto* test = std::get_if<store::ConnectionTestRow>(&change.after)) world.state.test = *test;
  }
  REQUIRE(world.state.test.has_value());
  world.state.test_command = store::InboxRow{};

  messages::TestOutcome outcome{job->test_id, "site", false, "The token was refused.", {{"log in", false, "make a new one"}}, messages::ReasonClass::credentials};
  world.pass(second);
  world.receive(outcome);
  REQUIRE(world.last.may_drop.size() == 1);
  CHECK(world.last.may_drop[0].routing_key == "reply.jira.1");
  CHECK(world.last.may_drop[0].body.find("The token was refused.") != std::string::npos);
  CHECK(world.state.connection->state == store::ConnectionState::failing);
  CHECK(world.state.connection->reason == "The token was refused.");
  CHECK(world.state.connection->reason_class == messages::ReasonClass::credentials);
  world.state.test->state = store::RunState::ended;
  world.receive(outcome);
  CHECK(world.last.may_drop.empty());
}

TEST_CASE("a test opens folders of mailboxes, and of nothing else") {
  World world;
  world.receive(messages::ConnectionTest{"site", "ada", {}, "Archive"});
  CHECK(world.last.status == 422);
  CHECK(world.last.answer.find("\"/folder\"") != std::string::npos);
  CHECK(world.last.must_arrive.empty());
  world.state.connection->kind = messages::ConnectionKind::imap;
  world.receive(messages::ConnectionTest{"site", "ada", {}, "Archive"});
  REQUIRE(world.last.must_arrive.size() == 1);
  CHECK(world.last.must_arrive[0].routing_key == "imap_poller.test");
  CHECK(codec::decode<messages::ImapPollerTest>(world.last.must_arrive[0].body)->folder == "Archive");
}

TEST_CASE("a folder, project or list that is not there fails the test, and not the connection") {
  World world;
  store::ConnectionTestRow test;
  test.id = "test";
  test.reply_to = "reply.api.1";
  test.started_at = world.context.now;
  world.state.test = test;
  world.state.connection->state = store::ConnectionState::failing;
  world.state.connection->reason_class = messages::ReasonClass::unreachable;
  world.state.connection->reason = "gone";
  world.receive(messages::TestOutcome{"test", "site", false, "there is no folder Nowhere", {{"folder", false, "none"}}, messages::ReasonClass::not_found});
  REQUIRE(world.last.may_drop.size() == 1);
  CHECK(world.last.may_drop[0].body.find("there is no folder Nowhere") != std::string::npos);
  CHECK(world.last.may_drop[0].body.find(R"("passed":false)") != std::string::npos);
  CHECK(world.state.connection->state == store::ConnectionState::ok);
  CHECK(world.state.connection->reason_class == messages::ReasonClass::none);
  CHECK(world.state.connection->reason.empty());
}

TEST_CASE("a test that nobody answers ends with that word") {
  World world;
  store::ConnectionTestRow test;
  test.id = "test";
  test.reply_to = "reply.api.1";
  world.state.test = test;
  world.carry_out(decide_test_deadline(world.state, world.context));
  REQUIRE(world.last.may_drop.size() == 1);
  CHECK(world.last.may_drop[0].body.find("No worker answered") != std::string::npos);
}

TEST_CASE("a connection that was used keeps its site; an unused one may move") {
  World world;
  messages::ConnectionUpdate move;
  move.connection_id = "site";
  move.actor = "ada";
  move.base_url = "https://other.example";
  World used = world;
  used.state.has_connection_past = true;
  used.receive(move);
  CHECK(used.last.status == 409);
  CHECK(used.state.connection->base_url == "https://site.example");
  world.receive(move);
  CHECK(world.last.status == 200);
  CHECK(world.state.connection->base_url == "https://other.example");
}
