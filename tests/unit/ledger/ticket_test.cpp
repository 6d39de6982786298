#include "tests/unit/ledger/world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::TicketState;

namespace {

messages::TicketOpen post(std::string board = "board") {
  messages::TicketOpen message;
  message.ticket_id = "promised";
  message.board_id = std::move(board);
  message.actor = "ada";
  message.title = "It smokes";
  return message;
}

World fresh_world() {
  World world;
  world.state.ticket.reset();
  world.state.delivery.reset();
  world.state.last_ticket_number = 41;
  return world;
}

std::int64_t counted(const Decision& decision, std::string_view name) {
  std::int64_t sum = 0;
  for (const auto& [counter, by] : decision.counted) sum += counter == name ? by : 0;
  return sum;
}

// Accepted must always be matched by exactly one end.
void check_balance(const Decision& decision) {
  CHECK(counted(decision, "arrivals_accepted") == counted(decision, "arrivals_opened") + counted(decision, "arrivals_standby") + counted(decision, "arrivals_deleted"));
}

}  // namespace

TEST_CASE("a post becomes a ticket with the promised id, the next number and a delivery") {
  World world = fresh_world();
  world.receive(post());
  REQUIRE(world.state.ticket.has_value());
  CHECK(world.state.ticket->id == "promised");
  CHECK(world.state.ticket->number == 42);
  CHECK(world.state.ticket->priority == "normal");
  CHECK(world.state.arrival->state == store::ArrivalState::opened);
  REQUIRE(world.state.delivery.has_value());
  CHECK(world.state.delivery->state == store::DeliveryState::waiting);
  CHECK(world.state.delivery->seq == 42);
  CHECK(world.last.touched == std::vector<std::string>{"site"});
  CHECK(world.last.events.size() == 1);
  CHECK(world.last.status == 200);
  CHECK(world.has_noted("accepted"));
  CHECK(world.has_noted("opened"));
  check_balance(world.last);
}

TEST_CASE("a desk ticket has no delivery") {
  World world = fresh_world();
  world.state.board->target_kind = messages::TargetKind::desk;
  world.state.board->connection_id.reset();
  world.receive(post());
  CHECK(world.state.ticket.has_value());
  CHECK_FALSE(world.state.delivery.has_value());
}

TEST_CASE("an unknown or archived board puts the arrival on the shelf, whole") {
  for (const bool is_archived : {true, false}) {
    World world = fresh_world();
    if (is_archived) {
      world.state.board->state = messages::BoardState::archived;
    } else {
      world.state.board.reset();
    }
    world.receive(post());
    CHECK_FALSE(world.state.ticket.has_value());
    REQUIRE(world.state.item.has_value());
    CHECK(world.state.item->reason_class == (is_archived ? "board_archived" : "board_unknown"));
    CHECK(world.state.item->original == codec::encode(post()));
    CHECK(world.state.item->ticket_id == "promised");
    CHECK(world.state.arrival->state == store::ArrivalState::standby);
    CHECK(world.state.arrival->standby_id == world.state.item->id);
    check_balance(world.last);
  }
}

TEST_CASE("a replay opens the ticket on the assigned board and resolves its item; a failing one opens the same item again") {
  World world = fresh_world();
  const auto board = world.state.board;
  world.state.board.reset();
  world.receive(post("gone"));
  const std::string item_id = world.state.item->id;
  world.state.item->state = messages::StandbyState::retry_pending;

  auto properties = world.envelope(messages::TicketOpen::type);
  properties.retry = 1;
  properties.assigned_board = "board";
  const std::string body = codec::encode(post("gone"));
  const Incoming replayed{properties, "cmd", "intake", "ledger.intake", "", body};
  CHECK(needs(post("gone"), replayed).board_id == "board");

  world.carry_out(decide(world.state, post("gone"), replayed, world.context));
  CHECK(world.state.item->id == item_id);
  CHECK(world.state.item->state == messages::StandbyState::open);
  CHECK(world.state.item->attempts == 2);
  check_balance(world.last);

  world.state.item->state = messages::StandbyState::retry_pending;
  world.state.board = board;
  world.carry_out(decide(world.state, post("gone"), replayed, world.context));
  REQUIRE(world.state.ticket.has_value());
  CHECK(world.state.ticket->board_id == "board");
  CHECK(world.state.item->state == messages::StandbyState::resolved);
  CHECK(world.state.arrival->state == store::ArrivalState::opened);
  check_balance(world.last);
}

TEST_CASE("a replay of what was opened meanwhile opens nothing") {
  World world = fresh_world();
  world.receive(post());
  world.state.ticket.reset();
  world.receive(post());
  CHECK_FALSE(world.state.ticket.has_value());
  CHECK(world.last.counted.empty());
}

TEST_CASE("only legal transitions happen") {
  const std::pair<TicketState, std::vector<TicketState>> legal[] = {
      {TicketState::fresh, {TicketState::assigned, TicketState::in_progress, TicketState::on_hold, TicketState::resolved, TicketState::closed}},
      {TicketState::assigned, {TicketState::in_progress, TicketState::on_hold, TicketState::resolved, TicketState::closed}},
      {TicketState::in_progress, {TicketState::assigned, TicketState::on_hold, TicketState::resolved, TicketState::closed}},
      {TicketState::on_hold, {TicketState::assigned, TicketState::in_progress, TicketState::resolved, TicketState::closed}},
      {TicketState::resolved, {TicketState::closed, TicketState::reopened}},
      {TicketState::closed, {TicketState::reopened}},
      {TicketState::reopened, {TicketState::assigned, TicketState::in_progress, TicketState::on_hold, TicketState::resolved, TicketState::closed}},
  };
  for (const auto& [from, targets] : legal) {
    for (const auto& [to, name] : messages::enum_names<TicketState>) {
      CAPTURE(messages::name_of(from));
      CAPTURE(name);
      World world;
      world.state.ticket->state = from;
      world.receive(messages::TicketChangeState{"ticket", "ada", {}, to, {}});
      const bool is_legal = std::ranges::find(targets, to) != targets.end();
      CHECK(world.last.status == (is_legal ? 200 : 409));
      CHECK(world.state.ticket->state == (is_legal ? to : from));
      CHECK(world.state.ticket->version == (is_legal ? 2 : 1));
    }
  }
}

TEST_CASE("a change from an older version is refused") {
  World world;
  world.receive(messages::TicketChangeState{"ticket", "ada", 9, TicketState::assigned, {}});
  CHECK(world.last.status == 412);
  CHECK(world.state.ticket->state == TicketState::fresh);
  world.state.ticket.reset();
  world.receive(messages::TicketChangeState{"ticket", "ada", {}, TicketState::assigned, {}});
  CHECK(world.last.status == 404);
}
