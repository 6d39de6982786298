#include "tests/unit/ledger/world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::TargetKind;

namespace {

messages::Target jira_target() {
  messages::Target target;
  target.kind = TargetKind::jira;
  target.connection_id = "site";
  target.jira = messages::JiraMapping{"SUP", "Task", {}, {}};
  return target;
}

World empty_world() {
  World world;
  world.state.board.reset();
  world.state.board_named.reset();
  return world;
}

messages::BoardCreate create(messages::Target target) { return {"new-board", "ada", "Support", false, {"printer", "say \"hi\""}, std::move(target)}; }

}  // namespace

TEST_CASE("a board is created with its target, and answered whole") {
  World world = empty_world();
  world.receive(create(jira_target()));
  CHECK(world.last.status == 201);
  REQUIRE(world.state.board.has_value());
  CHECK(world.state.board->connection_id == "site");
  CHECK(world.state.board->keywords == R"(["printer","say \"hi\""])");
  CHECK(world.last.answer.find("\"project_key\":\"SUP\"") != std::string::npos);
}

TEST_CASE("what only state can tell is refused with its place") {
  struct Case {
    const char* name;
    std::function<void(World&, messages::BoardCreate&)> twist;
    std::int64_t status;
    const char* pointer;
  };
  const Case cases[] = {
      {"name taken", [](World& world, auto&) { world.state.board_named = store::BoardRow{}; }, 409, "/name"},
      {"no such connection", [](World& world, auto&) { world.state.connection.reset(); }, 422, "/target/connection_id"},
      {"no connection named", [](World&, auto& message) { message.target.connection_id.reset(); }, 422, "/target/connection_id"},
      {"another kind", [](World& world, auto&) { world.state.connection->kind = messages::ConnectionKind::trello; }, 422, "/target/connection_id"},
      {"no mapping", [](World&, auto& message) { message.target.jira.reset(); }, 422, "/target/jira"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    World world = empty_world();
    auto message = create(jira_target());
    one.twist(world, message);
    world.receive(message);
    CHECK(world.last.status == one.status);
    CHECK(world.last.answer.find(std::string{"\"pointer\":\""} + one.pointer + "\"") != std::string::npos);
    CHECK(world.last.changes.empty());
  }
}

TEST_CASE("an update changes what it names, and only from the version it knows") {
  World world;
  messages::BoardUpdate update;
  update.board_id = "board";
  update.actor = "ada";
  update.state = messages::BoardState::archived;
  update.expected_version = 2;
  world.receive(update);
  CHECK(world.last.status == 412);
  update.expected_version = 1;
  world.receive(update);
  CHECK(world.last.status == 200);
  CHECK(world.state.board->state == messages::BoardState::archived);
  CHECK(world.state.board->name == "Support");
  CHECK(world.state.board->version == 2);
  // Its own name is not taken.
  update.expected_version.reset();
  update.name = "Support";
  world.state.board_named = world.state.board;
  world.receive(update);
  CHECK(world.last.status == 200);
}

TEST_CASE("the default board is not archived while it is the default") {
  World world;
  messages::BoardUpdate update;
  update.board_id = "board";
  update.actor = "ada";
  update.state = messages::BoardState::archived;
  const messages::Envelope envelope;
  CHECK(needs(update, Incoming{envelope, "", "", "", "", ""}).settings);
  world.state.settings.default_board_id = "board";
  world.receive(update);
  CHECK(world.last.status == 409);
  CHECK(world.last.answer.find("urn:postroom:problem:default-board") != std::string::npos);
  CHECK(world.last.answer.find("\"/state\"") != std::string::npos);
  CHECK(world.last.changes.empty());
  world.state.settings.default_board_id = "another";
  world.receive(update);
  CHECK(world.last.status == 200);
}

TEST_CASE("a board in use is not deleted") {
  World world;
  world.state.is_board_used = true;
  world.receive(messages::BoardDelete{"board", "ada", {}});
  CHECK(world.last.status == 409);
  world.state.is_board_used = false;
  world.receive(messages::BoardDelete{"board", "ada", {}});
  CHECK(world.last.status == 200);
  CHECK(std::ranges::any_of(world.last.changes, [](const auto& change) { return change.kind == Change::Kind::remove; }));
}
