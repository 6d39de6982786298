// What every implementation of the Reading port must answer.

#include <doctest/doctest.h>

#include "common/store/reading.hpp"
#include "common/store/table.hpp"
#include "common/store/views.hpp"
#include "tests/support/scratch.hpp"

using namespace postroom;
using namespace postroom::store;

namespace {

struct House {
  fakes::ScratchFolder folder;
  std::unique_ptr<Database> writer = fakes::new_database(folder.path() / "db");
  std::unique_ptr<Reading> reading = [this] {
    auto opened = open_reading(folder.path() / "db");
    REQUIRE(opened.ok());
    return std::move(*opened);
  }();

  void board(std::string id, std::string name) {
    BoardRow row;
    row.id = std::move(id);
    row.name = std::move(name);
    row.keywords = "[]";
    row.target = R"({"kind":"desk"})";
    REQUIRE(insert(*writer, row).ok());
  }
  void ticket(int number, std::string board, messages::TicketState state = messages::TicketState::fresh) {
    TicketRow row;
    row.id = "ticket-" + std::to_string(number);
    row.number = number;
    row.board_id = std::move(board);
    row.correlation_id = "arrival-" + std::to_string(number);
    row.state = state;
    REQUIRE(insert(*writer, row).ok());
  }
  void item(std::string id, std::int64_t first_at, messages::StandbyState state, std::string worker = "jira") {
    StandbyRow row;
    row.id = std::move(id);
    row.first_at = first_at;
    row.state = state;
    row.worker = std::move(worker);
    row.original = "secret original";
    row.properties = "{}";
    REQUIRE(insert(*writer, row).ok());
  }
};

}  // namespace

TEST_CASE("lists go through all pages once, in order") {
  House house;
  for (const char* name : {"delta", "alpha", "charlie", "bravo"}) house.board(std::string{"id-"} + name, name);
  std::string seen;
  PageRequest page{3, ""};
  for (int i = 0; i < 2; ++i) {
    const auto answer = house.reading->boards(page);
    REQUIRE(answer.ok());
    for (const auto& board : answer->items) seen += board.name + " ";
    CHECK(answer->next.has_value() == (i == 0));
    page.cursor = answer->next.value_or("");
  }
  CHECK(seen == "alpha bravo charlie delta ");
}

TEST_CASE("a cursor that is not ours is refused with its place") {
  House house;
  for (const char* cursor : {"x", "1_zz", "1_a", "1"}) {
    const auto answer = house.reading->boards({10, cursor});
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code() == Code::bad_message);
    CHECK(answer.error().where() == "/cursor");
  }
}

TEST_CASE("tickets are newest first and filtered by board and state") {
  House house;
  house.board("a", "a");
  house.board("b", "b");
  house.ticket(1, "a");
  house.ticket(2, "b");
  house.ticket(3, "a", messages::TicketState::closed);
  house.ticket(4, "a");
  const auto of_a = house.reading->tickets({"a", {}}, {2, ""});
  REQUIRE(of_a.ok());
  REQUIRE(of_a->items.size() == 2);
  CHECK(of_a->items[0].ticket.number == 4);
  CHECK(of_a->items[1].ticket.number == 3);
  const auto rest = house.reading->tickets({"a", {}}, {2, *of_a->next});
  REQUIRE(rest.ok());
  REQUIRE(rest->items.size() == 1);
  CHECK(rest->items[0].ticket.number == 1);
  CHECK_FALSE(rest->next);
  const auto closed = house.reading->tickets({"a", messages::TicketState::closed}, {});
  REQUIRE(closed.ok());
  REQUIRE(closed->items.size() == 1);
  CHECK(closed->items[0].ticket.number == 3);
}

TEST_CASE("standby lists what waits for a person, oldest first, without originals") {
  House house;
  house.item("c", 30, messages::StandbyState::open);
  house.item("a", 10, messages::StandbyState::assigned);
  house.item("b", 20, messages::StandbyState::resolved);
  house.item("d", 40, messages::StandbyState::retry_pending, "trello");
  const auto first = house.reading->standby({}, {2, ""});
  REQUIRE(first.ok());
  REQUIRE(first->items.size() == 2);
  CHECK(first->items[0].id == "a");
  CHECK(first->items[1].id == "c");
  CHECK(first->items[0].original.empty());
  const auto second = house.reading->standby({}, {2, *first->next});
  REQUIRE(second.ok());
  REQUIRE(second->items.size() == 1);
  CHECK(second->items[0].id == "d");
  StandbyQuery of_trello;
  of_trello.filter.worker = "trello";
  const auto trello = house.reading->standby(of_trello, {});
  REQUIRE(trello.ok());
  CHECK(trello->items.size() == 1);
  const auto one = house.reading->standby_item("a");
  REQUIRE(one.ok());
  CHECK((*one)->item.original == "secret original");
}

TEST_CASE("a trace finds the whole life from any id of it") {
  House house;
  house.board("a", "a");
  house.ticket(1, "a");
  ArrivalRow arrival;
  arrival.id = "arrival-1";
  arrival.correlation_id = "arrival-1";
  arrival.ticket_id = "ticket-1";
  REQUIRE(insert(*house.writer, arrival).ok());
  DeliveryRow delivery;
  delivery.id = "delivery-1";
  delivery.ticket_id = "ticket-1";
  REQUIRE(insert(*house.writer, delivery).ok());
  HistoryRow entry;
  entry.id = "h";
  entry.correlation_id = "arrival-1";
  entry.ticket_id = "ticket-1";
  entry.action = "opened";
  entry.detail = "{}";
  REQUIRE(insert(*house.writer, entry).ok());
  for (const char* id : {"ticket-1", "delivery-1", "arrival-1"}) {
    CAPTURE(id);
    const auto trace = house.reading->trace(id);
    REQUIRE(trace.ok());
    REQUIRE(trace->has_value());
    CHECK((*trace)->correlation_id == "arrival-1");
    CHECK((*trace)->tickets.size() == 1);
    CHECK((*trace)->deliveries.size() == 1);
    CHECK((*trace)->history.size() == 1);
    CHECK(trace_json(**trace).find("\"action\":\"opened\"") != std::string::npos);
  }
  const auto unknown = house.reading->trace("nothing");
  REQUIRE(unknown.ok());
  CHECK_FALSE(unknown->has_value());
}

TEST_CASE("the balance counts rows and compares them with the counter of accepted ones") {
  House house;
  REQUIRE(insert(*house.writer, CounterRow{"arrivals_accepted", 3}).ok());
  for (int i = 0; i < 2; ++i) {
    ArrivalRow arrival;
    arrival.id = arrival.natural_key = std::to_string(i);
    arrival.state = i == 0 ? ArrivalState::opened : ArrivalState::standby;
    REQUIRE(insert(*house.writer, arrival).ok());
  }
  const auto balance = house.reading->balance();
  REQUIRE(balance.ok());
  CHECK(balance->accepted == 3);
  CHECK(balance->opened == 1);
  CHECK(balance->standby == 1);
}
