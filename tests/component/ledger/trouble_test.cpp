// Disks that fill, disks that fail, messages that end the process.

#include "tests/component/ledger/house.hpp"

using namespace postroom;
using namespace postroom::ledger;

TEST_CASE("a full disk: nothing is acknowledged, nothing is lost, and it goes on when it can") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  const auto acked = house.consumer.acked.size();
  const std::string id = house.post("board", false);
  house.database.commits_to_fail = 2;
  const auto next = house.rounds->turn();
  REQUIRE(next.has_value());
  CHECK(next->count() == 1'000);
  CHECK_FALSE(house.rounds->trouble().empty());
  CHECK(house.consumer.acked.size() == acked);
  CHECK(house.publisher.waiting.empty());
  house.post("board", false);
  (void)house.rounds->turn();
  CHECK(house.consumer.acked.size() == acked);
  house.settle();
  CHECK(house.rounds->trouble().empty());
  CHECK_FALSE(house.died.has_value());
  CHECK(house.consumer.acked.size() == house.last_tag);
  CHECK(house.jobs().size() == 2);
  CHECK(house.ticket(id).ticket.number == 1);
  house.check_balance();
}

TEST_CASE("a really full database is a full disk") {
  House house;
  house.make_board("desk", "");
  std::int64_t pages = 0;
  REQUIRE(house.database.query("PRAGMA page_count", {}, [&](const store::Row& row) { pages = row.integer(0); }).ok());
  REQUIRE(house.database.run_script("PRAGMA max_page_count = " + std::to_string(pages)).ok());
  for (int i = 0; i < 100; ++i) house.post("desk", false);
  (void)house.rounds->turn();
  CHECK(house.rounds->trouble().find("disk full") != std::string::npos);
  const std::int64_t before = house.number("SELECT COUNT(*) FROM tickets");
  CHECK(before == 0);
  REQUIRE(house.database.run_script("PRAGMA max_page_count = 1000000").ok());
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 100);
  house.check_balance();
}

TEST_CASE("a disk that fails at the commit ends the process") {
  House house;
  house.make_board("desk", "");
  house.database.failing_place = "input/output error (1034)";
  house.database.commits_to_fail = 1;
  house.post("desk", false);
  (void)house.rounds->turn();
  CHECK(house.died.has_value());
}

TEST_CASE("what was not committed is not told") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  house.post("board");
  const auto job = house.jobs().at(0);
  house.arrive(house.delivery(messages::WorkClaim::type, codec::encode(messages::WorkClaim{job.delivery_id, job.dispatch_no, "token", "jira-1"}), "jira", "ledger.results"));
  house.database.commits_to_fail = 1;
  (void)house.rounds->turn();
  CHECK(house.publisher.take(messages::ClaimAnswered::type).empty());
  house.settle();
  CHECK(house.publisher.take(messages::ClaimAnswered::type).size() == 1);
}

TEST_CASE("after an abnormal end redelivered messages go one at a time, each noted first") {
  House house;
  house.make_board("desk", "");
  house.die();  // without close()
  int commits = 0;
  house.database.on_commit = [&] { ++commits; };
  for (int i = 0; i < 5; ++i) {
    messages::TicketOpen message;
    message.ticket_id = house.ids.next();
    message.board_id = "desk";
    auto one = house.delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake");
    one.redelivered = true;
    house.arrive(std::move(one));
  }
  (void)house.rounds->turn();
  CHECK(commits == 1);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM suspects") == 1);  // the next one
  house.settle();
  CHECK(commits == 5);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 5);
  CHECK(house.number("SELECT COUNT(*) FROM suspects") == 0);
  // What is not redelivered is not suspect.
  commits = 0;
  house.post("desk", false);
  house.post("desk", false);
  house.settle();
  CHECK(commits == 1);
}

TEST_CASE("a message that ended the ledger three times is put on the shelf at the fourth") {
  House house;
  house.make_board("desk", "");
  messages::TicketOpen message;
  message.ticket_id = house.ids.next();
  message.board_id = "desk";
  const auto killer = house.delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake");
  for (int i = 0; i < 3; ++i) {
    house.die();
    auto again = killer;
    again.redelivered = true;
    house.arrive(std::move(again));
    // The end comes between the note and the commit.
    house.database.commits_to_fail = 1;
    (void)house.rounds->turn();
    CHECK(house.number("SELECT strikes FROM suspects") == i + 1);
  }
  house.die();
  auto again = killer;
  again.redelivered = true;
  house.arrive(std::move(again));
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 0);
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE reason_class = 'ended_the_ledger'") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM suspects") == 0);
}

TEST_CASE("after a clean end nobody is suspect") {
  House house;
  house.make_board("desk", "");
  REQUIRE(house.rounds->close().ok());
  house.start();
  messages::TicketOpen message;
  message.board_id = "desk";
  for (int i = 0; i < 2; ++i) {
    message.ticket_id = house.ids.next();
    auto one = house.delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake");
    one.redelivered = true;
    house.arrive(std::move(one));
  }
  (void)house.rounds->turn();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 2);
}

TEST_CASE("a broken link forgets what came over it; what comes again is done once") {
  House house;
  house.make_board("desk", "");
  messages::TicketOpen message;
  message.ticket_id = house.ids.next();
  message.board_id = "desk";
  const auto one = house.delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake");
  house.arrive(one);
  house.rounds->link_changed(broker::LinkState::connecting);
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 0);
  house.rounds->link_changed(broker::LinkState::open);
  house.arrive(one);
  house.arrive(one);
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 1);
}
