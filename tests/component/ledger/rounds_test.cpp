// Rounds: one transaction, then the acks; duplicates; poison; neighbours.

#include "tests/component/ledger/house.hpp"

using namespace postroom;
using namespace postroom::ledger;

TEST_CASE("a post becomes a ticket, a job, a claim, an issue; everything is acknowledged after its commit") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  std::string order;
  house.database.on_commit = [&] { order += "c"; };
  house.consumer.on_ack = [&] { order += "a"; };
  const std::string id = house.post("board");
  CHECK(order.substr(0, 2) == "ca");

  CHECK(house.ticket(id).ticket.number == 1);
  const auto jobs = house.jobs();
  REQUIRE(jobs.size() == 1);
  const auto answer = house.claim(jobs[0]);
  CHECK(answer.verdict == messages::ClaimVerdict::send);
  house.report(jobs[0], messages::Outcome::done);
  const auto view = house.ticket(id);
  CHECK(view.delivery->state == store::DeliveryState::done);
  REQUIRE(view.external.has_value());
  CHECK(view.external->remote_key == "SUP-1");
  CHECK(house.number("SELECT COUNT(*) FROM outgoing") == 0);
  CHECK(house.consumer.acked.size() == house.last_tag);
  house.check_balance();
  const auto timeline = house.reading->timeline(id);
  REQUIRE(timeline.ok());
  std::string actions;
  for (const auto& entry : *timeline) actions += entry.action + " ";
  CHECK(actions == "accepted opened dispatched claimed delivered ");
}

TEST_CASE("a round of many messages is one commit") {
  House house;
  house.make_board("desk", "");
  int commits = 0;
  house.database.on_commit = [&] { ++commits; };
  for (int i = 0; i < 150; ++i) house.post("desk", false);
  house.settle();
  CHECK(commits == 1);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 150);
  CHECK(house.number("SELECT MAX(number) FROM tickets") == 150);
  house.check_balance();
}

TEST_CASE("who waits goes before a flood") {
  House house;
  house.make_board("desk", "");
  for (int i = 0; i < 450; ++i) house.post("desk", false);
  house.arrive(house.delivery(messages::BoardDelete::type, codec::encode(messages::BoardDelete{"nothing", "ada", {}}), "api", "ledger.now"));
  (void)house.rounds->turn();
  CHECK(house.publisher.take(messages::CommandReplied::type).size() == 1);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 200);  // the round's share
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 450);
}

TEST_CASE("a duplicate is answered from the inbox, to its new reply address, and done once") {
  House house;
  const messages::BoardCreate create{"board", "ada", "Support", false, {}, {}};
  const std::string id = house.ids.next();
  const auto first = house.command(create, id);
  auto again = house.delivery(messages::BoardCreate::type, codec::encode(create), "api", "ledger.now", id);
  again.envelope.reply_to = "reply.another";
  house.arrive(again);
  house.settle();
  const auto replies = house.publisher.take(messages::CommandReplied::type);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].routing_key == "reply.another");
  CHECK(codec::decode<messages::CommandReplied>(replies[0].body)->body == first.body);
  CHECK(house.number("SELECT COUNT(*) FROM boards") == 1);
}

TEST_CASE("a post that comes twice opens one ticket") {
  House house;
  house.make_board("desk", "");
  messages::TicketOpen message;
  message.ticket_id = house.ids.next();
  message.board_id = "desk";
  const std::string id = house.ids.next();
  for (int i = 0; i < 3; ++i) {
    house.arrive(house.delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake", id));
    if (i == 1) house.settle();  // in one round, and in another
  }
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 1);
  CHECK(house.number("SELECT value FROM counters WHERE name = 'arrivals_accepted'") == 1);
  CHECK(house.consumer.acked.size() == house.last_tag);
}

TEST_CASE("the same id with another content is refused to who waits, and shelved when nobody does") {
  House house;
  const std::string id = house.ids.next();
  CHECK(house.command(messages::BoardCreate{"board", "ada", "Support", false, {}, {}}, id).status == 201);
  CHECK(house.command(messages::BoardCreate{"other", "ada", "Other", false, {}, {}}, id).status == 422);
  CHECK(house.number("SELECT COUNT(*) FROM standby") == 0);
  auto silent = house.delivery(messages::BoardCreate::type, codec::encode(messages::BoardCreate{"third", "ada", "Third", false, {}, {}}), "api", "ledger.now", id);
  silent.envelope.reply_to.clear();
  house.arrive(silent);
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE reason_class = 'idempotency-key-reused'") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM boards") == 1);
}

TEST_CASE("what cannot be taken is kept whole and acknowledged; its neighbours go on") {
  struct Case {
    const char* reason;
    std::function<void(broker::Delivery&)> twist;
  };
  const Case cases[] = {
      {"unknown_version", [](auto& one) { one.envelope.type = "ticket.open.v9"; }},
      {"unknown_type", [](auto& one) { one.envelope.type = "ticket.explode.v1"; }},
      {"not_allowed", [](auto& one) { one.envelope.user_id = "jira"; }},
      {"not_allowed", [](auto& one) { one.envelope.user_id = "ledger"; }},
      {"not_allowed",
       [](auto& one) {
         one.envelope.user_id = "ledger";
         one.envelope.original_user_id = "trello";
       }},
      {"invalid_id", [](auto& one) { one.envelope.message_id = "no uuid"; }},
      {"invalid_body", [](auto& one) { one.body = "{"; }},
      {"invalid_body", [](auto& one) { one.body = R"({"ticket_id":7})"; }},
      {"invalid_body", [](auto& one) { one.body = std::string{"\xff\xfe\x00", 3}; }},
  };
  for (const auto& one : cases) {
    CAPTURE(one.reason);
    House house;
    house.make_board("desk", "");
    house.post("desk", false);
    messages::TicketOpen message;
    message.ticket_id = house.ids.next();
    message.board_id = "desk";
    auto poison = house.delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake");
    one.twist(poison);
    const std::string body = poison.body;
    house.arrive(poison);
    house.post("desk", false);
    house.settle();
    CHECK(house.number("SELECT COUNT(*) FROM tickets") == 2);
    CHECK(house.consumer.acked.size() == house.last_tag);
    const auto shelf = house.reading->standby({}, {});
    REQUIRE(shelf.ok());
    REQUIRE(shelf->items.size() == 1);
    CHECK(shelf->items[0].reason_class == one.reason);
    CHECK(shelf->items[0].kind == messages::StandbyKind::poison);
    const auto item = house.reading->standby_item(shelf->items[0].id);
    CHECK((*item)->item.original == ((*item)->item.original_is_base64 ? "//4A" : body));
  }
}

TEST_CASE("a message that the database refuses is shelved, not the round") {
  House house;
  house.make_board("desk", "");
  const std::string taken = house.post("desk");
  messages::TicketOpen forged;  // another arrival that promises the same ticket
  forged.ticket_id = taken;
  forged.board_id = "desk";
  house.arrive(house.delivery(messages::TicketOpen::type, codec::encode(forged), "api", "ledger.intake"));
  house.post("desk", false);
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 2);
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE reason_class = 'not_applicable'") == 1);
  house.check_balance();
}

TEST_CASE("of a message that fails in the middle nothing is left but its place on the shelf") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  house.database.failing_text = "INSERT INTO deliveries";
  house.post("board");
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE reason_class = 'not_applicable'") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 0);
  CHECK(house.number("SELECT COUNT(*) FROM arrivals") == 1);
  house.check_balance();
}

TEST_CASE("a connection test is answered when its outcome is in, to whoever asked last") {
  House house;
  house.make_connection("site");
  const std::string id = house.ids.next();
  const std::string body = codec::encode(messages::ConnectionTest{"site", "ada", {}});
  house.arrive(house.delivery(messages::ConnectionTest::type, body, "api", "ledger.now", id));
  house.settle();
  CHECK(house.publisher.take(messages::CommandReplied::type).empty());
  CHECK(house.publisher.take("jira.test.v1").size() == 1);
  auto again = house.delivery(messages::ConnectionTest::type, body, "api", "ledger.now", id);
  again.envelope.reply_to = "reply.later";
  house.arrive(again);
  house.settle();
  CHECK(house.publisher.take("jira.test.v1").empty());
  house.result(messages::TestOutcome{id, "site", true, "All well.", {}});
  const auto replies = house.publisher.take(messages::CommandReplied::type);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].routing_key == "reply.later");
  const auto command = house.reading->command(id);
  CHECK((*command)->status == 200);
  CHECK((*house.reading->connection("site"))->state == store::ConnectionState::ok);
}
