#include "tests/component/ledger/house.hpp"

using namespace postroom;
using namespace postroom::ledger;

TEST_CASE("a job stays in the database until the broker has it, and a new process publishes it again") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  house.post("board", false);
  house.settle(false);  // no confirm comes
  CHECK(house.number("SELECT COUNT(*) FROM outgoing") == 1);
  const auto first = house.publisher.take("jira.create.v1");
  REQUIRE(first.size() == 1);
  house.die();
  house.settle(false);
  const auto second = house.publisher.take("jira.create.v1");
  REQUIRE(second.size() == 1);
  CHECK(second[0].envelope == first[0].envelope);
  CHECK(second[0].body == first[0].body);
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM outgoing") == 0);
}

TEST_CASE("a row that comes back waits alone, longer each time; the others go on") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  house.post("board", false);
  house.post("board", false);
  house.settle(false);
  REQUIRE(house.publisher.waiting.size() == 2);
  house.publisher.answer(0, broker::Published::returned);
  house.publisher.answer_all();
  house.settle(false);
  CHECK(house.number("SELECT COUNT(*) FROM outgoing") == 1);
  CHECK(house.number("SELECT attempts FROM outgoing") == 1);
  house.post("board", false);
  house.settle(false);
  CHECK(house.publisher.waiting.size() == 1);  // the new one, not the one that waits
  house.publisher.answer_all();
  house.settle(false);
  house.clock.advance(std::chrono::milliseconds{999});
  house.settle(false);
  CHECK(house.publisher.waiting.empty());
  house.clock.advance(std::chrono::milliseconds{1});
  house.settle(false);
  REQUIRE(house.publisher.waiting.size() == 1);
  house.publisher.answer_all(broker::Published::rejected);
  house.settle(false);
  house.clock.advance(std::chrono::milliseconds{1'999});
  house.settle(false);
  CHECK(house.publisher.waiting.empty());
  house.clock.advance(std::chrono::milliseconds{1});
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM outgoing") == 0);
}

TEST_CASE("replies and events are published once and may be lost") {
  House house;
  house.make_board("desk", "");
  house.post("desk");
  const auto events = house.publisher.take(messages::TicketChanged::type);
  REQUIRE(events.size() == 1);
  CHECK(events[0].exchange == "event");
  CHECK_FALSE(events[0].must_arrive);
  CHECK(house.number("SELECT COUNT(*) FROM events") == 1);
  house.die();
  house.settle();
  CHECK(house.publisher.take(messages::TicketChanged::type).empty());
}
