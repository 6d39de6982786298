// The shelf: what lies on it comes back the way it went.

#include "tests/component/ledger/house.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::StandbyState;

namespace {

store::StandbyRow only_item(House& house) {
  store::StandbyQuery all;
  all.states = {StandbyState::open, StandbyState::assigned, StandbyState::retry_pending, StandbyState::resolved, StandbyState::deleted};
  const auto page = house.reading->standby(all, {});
  REQUIRE(page.ok());
  REQUIRE(page->items.size() == 1);
  return page->items[0];
}

// What was published to the ledger itself comes back to it, as the broker would bring it.
void bring_back(House& house, std::string_view type, std::string_view queue) {
  for (auto& message : house.publisher.take(type)) {
    broker::Delivery delivery;
    delivery.tag = ++house.last_tag;
    delivery.queue = queue;
    delivery.exchange = message.exchange;
    delivery.routing_key = message.routing_key;
    delivery.envelope = message.envelope;
    delivery.body = message.body;
    house.arrive(std::move(delivery));
  }
  house.settle();
}

}  // namespace

TEST_CASE("an arrival for an archived board waits whole, is assigned, replayed, and opens its promised ticket") {
  House house;
  house.make_board("old", "");
  house.make_board("new", "");
  messages::BoardUpdate archive;
  archive.board_id = "old";
  archive.actor = "ada";
  archive.state = messages::BoardState::archived;
  CHECK(house.command(archive).status == 200);
  const std::string id = house.post("old");
  const auto shelved = house.reading->arrival_by_ticket(id);
  REQUIRE(shelved.ok());
  REQUIRE((*shelved)->standby.has_value());
  CHECK((*shelved)->standby->reason_class == "board_archived");
  house.check_balance();

  const auto item = only_item(house);
  CHECK(house.command(messages::StandbyRetry{item.id, "ada", {}}).status == 200);
  CHECK(house.command(messages::StandbyRetry{item.id, "ada", {}}).status == 409);
  bring_back(house, messages::TicketOpen::type, "ledger.intake");
  CHECK(only_item(house).state == StandbyState::open);  // still archived
  CHECK(only_item(house).attempts == 2);

  CHECK(house.command(messages::StandbyAssign{item.id, "ada", {}, "new", {}, {}}).status == 200);
  CHECK(house.command(messages::StandbyRetry{item.id, "ada", {}}).status == 200);
  bring_back(house, messages::TicketOpen::type, "ledger.intake");
  CHECK(house.ticket(id).ticket.board_id == "new");
  CHECK(only_item(house).state == StandbyState::resolved);
  CHECK(house.number("SELECT COUNT(*) FROM inbox WHERE type = 'ticket.open.v1'") == 3);
  house.check_balance();
}

TEST_CASE("a replay that is delivered twice opens one ticket") {
  House house;
  const std::string id = house.post("later");
  house.make_board("later", "");
  const auto item = only_item(house);
  CHECK(house.command(messages::StandbyRetry{item.id, "ada", {}}).status == 200);
  const auto replays = house.publisher.take(messages::TicketOpen::type);
  REQUIRE(replays.size() == 1);
  for (int i = 0; i < 2; ++i) {
    house.publisher.published.push_back(replays[0]);
    bring_back(house, messages::TicketOpen::type, "ledger.intake");
  }
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 1);
  house.check_balance();
}

TEST_CASE("a lost replay is open again after its deadline and can be sent once more") {
  House house;
  house.post("later");
  house.make_board("later", "");
  const auto item = only_item(house);
  CHECK(house.command(messages::StandbyRetry{item.id, "ada", {}}).status == 200);
  (void)house.publisher.take(messages::TicketOpen::type);
  house.pass(std::chrono::seconds{120});
  CHECK(only_item(house).state == StandbyState::open);
  CHECK(house.command(messages::StandbyRetry{item.id, "ada", {}}).status == 200);
  bring_back(house, messages::TicketOpen::type, "ledger.intake");
  CHECK(only_item(house).state == StandbyState::resolved);
}

TEST_CASE("an edited arrival opens the promised ticket with the corrected content") {
  House house;
  house.make_board("desk", "");
  const std::string id = house.post("nowhere");
  const auto item = only_item(house);
  messages::TicketOpen corrected;
  corrected.ticket_id = id;
  corrected.board_id = "desk";
  corrected.title = "It burns";
  const std::string copy = house.ids.next();
  CHECK(house.command(messages::StandbyEdit{item.id, "ada", {}, copy, {codec::encode(corrected)}}).status == 200);
  bring_back(house, messages::TicketOpen::type, "ledger.intake");
  CHECK(house.ticket(id).ticket.title == "It burns");
  CHECK((*house.reading->standby_item(copy))->item.state == StandbyState::resolved);
  CHECK((*house.reading->standby_item(item.id))->item.link_id == copy);
  house.check_balance();
}

TEST_CASE("a deleted arrival stays counted") {
  House house;
  house.post("nowhere");
  CHECK(house.command(messages::StandbyDelete{only_item(house).id, "ada", {}, "spam"}).status == 200);
  const auto balance = house.reading->balance();
  CHECK(balance->deleted == 1);
  CHECK(balance->standby == 0);
  house.check_balance();
}

TEST_CASE("what the broker gave up on is drained to the shelf; a dead job of a living delivery is not") {
  House house;
  house.make_connection("site");
  house.make_board("board", "site");
  house.post("board");
  const auto jobs = house.publisher.take("jira.create.v1");
  REQUIRE(jobs.size() == 1);
  auto dead = house.delivery("jira.create.v1", jobs[0].body, "ledger", "standby");
  dead.headers_json = R"({"x-death":[{"reason":"delivery_limit","queue":"jira"}]})";
  house.arrive(dead);
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM standby") == 0);
  auto lost = house.delivery("ticket.open.v1", "{}", "api", "standby");
  house.arrive(lost);
  house.settle();
  CHECK(only_item(house).reason_class == "unroutable");
  CHECK(house.consumer.acked.size() == house.last_tag);
}

TEST_CASE("a bulk job is paced, shows progress, and takes each item once though it fails again") {
  House house;
  for (int i = 0; i < 12; ++i) house.post("nowhere");
  const std::string id = house.ids.next();
  CHECK(house.command(messages::StandbyRetryMany{"ada", messages::BulkAction::retry, {}, {}}, id).status == 202);
  CHECK(house.publisher.take(messages::TicketOpen::type).size() == 5);  // a tenth of 50 a second
  CHECK((*house.reading->command(id))->status == 202);
  CHECK((*house.reading->command(id))->result.find("\"total\":12,\"done\":5") != std::string::npos);
  house.pass(std::chrono::milliseconds{100});
  bring_back(house, messages::TicketOpen::type, "ledger.intake");
  house.pass(std::chrono::milliseconds{100});
  CHECK((*house.reading->command(id))->status == 200);
  CHECK((*house.reading->command(id))->result.find("\"done\":12,\"refused\":0") != std::string::npos);
  house.pass(std::chrono::seconds{10});
  CHECK(house.number("SELECT MAX(retry_no) FROM standby") == 1);
}

TEST_CASE("a bulk job assigns on its way") {
  House house;
  house.make_board("desk", "");
  const std::string id = house.post("nowhere");
  CHECK(house.command(messages::StandbyRetryMany{"ada", messages::BulkAction::retry, {}, "desk"}).status == 202);
  bring_back(house, messages::TicketOpen::type, "ledger.intake");
  CHECK(house.ticket(id).ticket.board_id == "desk");
  CHECK(house.command(messages::StandbyRetryMany{"ada", messages::BulkAction::remove, {}, {}}).status == 200);
}
