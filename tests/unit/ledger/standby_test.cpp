#include "tests/unit/ledger/world.hpp"
#include "workers/ledger/decide/shelf.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::StandbyState;

namespace {

// An arrival on the shelf, because its board is not there.
World shelved_world() {
  World world;
  world.state.ticket.reset();
  world.state.delivery.reset();
  const auto board = world.state.board;
  world.state.board.reset();
  messages::TicketOpen message;
  message.ticket_id = "promised";
  message.board_id = "gone";
  message.title = "It smokes";
  auto properties = world.envelope(messages::TicketOpen::type);
  properties.user_id = "api";
  const std::string body = codec::encode(message);
  world.carry_out(decide(world.state, message, Incoming{properties, "cmd", "intake", "ledger.intake", "", body}, world.context));
  world.state.board = board;
  REQUIRE(world.state.item.has_value());
  return world;
}

}  // namespace

TEST_CASE("a replay carries the original bytes, the same id, the next number, the board, and who published it first") {
  World world = shelved_world();
  const std::string original = world.state.item->original;
  world.receive(messages::StandbyAssign{world.state.item->id, "ada", {}, "board", "grace", "mine"});
  CHECK(world.last.status == 200);
  CHECK(world.state.item->state == StandbyState::assigned);
  world.state.subject_retries = 2;
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  CHECK(world.last.status == 200);
  REQUIRE(world.last.must_arrive.size() == 1);
  const auto& replay = world.last.must_arrive[0];
  CHECK(replay.exchange == "cmd");
  CHECK(replay.routing_key == "intake");
  CHECK(replay.body == original);
  CHECK(replay.envelope.message_id == "00000000-0000-4000-8000-000000000001");
  CHECK(replay.envelope.retry == 3);
  CHECK(replay.envelope.assigned_board == "board");
  CHECK(replay.envelope.original_user_id == "api");
  CHECK(replay.envelope.reply_to.empty());
  CHECK(world.state.item->state == StandbyState::retry_pending);
  CHECK(world.state.item->due_at > world.context.now);
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  CHECK(world.last.status == 409);
}

TEST_CASE("bytes that are not text come back byte for byte") {
  World world;
  auto properties = world.envelope("ticket.open.v9");
  const std::string bytes{"\xff\x00{", 3};
  world.state.item.reset();
  world.carry_out(decide_poison(world.state, Incoming{properties, "cmd", "intake", "ledger.intake", R"({"x":1})", bytes}, "unknown_version", "why", world.context));
  REQUIRE(world.state.item.has_value());
  CHECK(world.state.item->original_is_base64);
  CHECK(world.state.item->kind == messages::StandbyKind::poison);
  const auto replay = replay_of(*world.state.item, 1);
  REQUIRE(replay.ok());
  CHECK(replay->body == bytes);
  CHECK(replay->exchange == "cmd");
}

TEST_CASE("a poison message that fails again keeps its item") {
  World world;
  world.state.item.reset();
  auto properties = world.envelope("ticket.open.v9");
  world.carry_out(decide_poison(world.state, Incoming{properties, "cmd", "intake", "ledger.intake", "", "{}"}, "unknown_version", "why", world.context));
  const std::string id = world.state.item->id;
  world.state.item->state = StandbyState::retry_pending;
  world.state.item->retry_no = 1;
  world.state.pending_item = world.state.item;
  properties.retry = 1;
  world.carry_out(decide_poison(world.state, Incoming{properties, "cmd", "intake", "ledger.intake", "", "{}"}, "unknown_version", "still", world.context));
  CHECK(world.state.item->id == id);
  CHECK(world.state.item->state == StandbyState::open);
  CHECK(world.state.item->attempts == 2);
  CHECK(world.state.item->reason == "still");
}

TEST_CASE("items of one cause have one group, whatever their numbers and names") {
  CHECK(group_key("jira", "server_error", "HTTP 503 from \"site-a\" after 17 ms", "t") == group_key("jira", "server_error", "http 503 from \"b\" after 9 ms", "t"));
  CHECK(group_key("jira", "server_error", "a", "t") != group_key("jira", "server_error", "b", "t"));
  CHECK(group_key("jira", "server_error", "a", "t") != group_key("trello", "server_error", "a", "t"));
}

TEST_CASE("a deleted arrival is counted as deleted and cannot be retried") {
  World world = shelved_world();
  world.receive(messages::StandbyDelete{world.state.item->id, "ada", {}, "spam"});
  CHECK(world.last.status == 200);
  CHECK(world.state.arrival->state == store::ArrivalState::deleted);
  CHECK(world.state.item->state == StandbyState::deleted);
  CHECK(world.last.counted == decltype(world.last.counted){{"arrivals_standby", -1}, {"arrivals_deleted", 1}});
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  CHECK(world.last.status == 409);
}

TEST_CASE("a deleted delivery item cancels its delivery") {
  World world;
  world.dispatch();
  world.claim();
  world.report(messages::Outcome::refuse, messages::ReasonClass::invalid_data);
  world.receive(messages::StandbyDelete{world.state.item->id, "ada", {}, {}});
  CHECK(world.state.delivery->state == store::DeliveryState::cancelled);
  CHECK(world.state.item->state == StandbyState::deleted);
}

TEST_CASE("an edit sends a corrected copy on and links both ways; the promised ticket stays") {
  World world = shelved_world();
  const std::string original_id = world.state.item->id;
  messages::TicketOpen corrected;
  corrected.ticket_id = "promised";
  corrected.board_id = "board";
  corrected.title = "It smokes a lot";
  messages::StandbyEdit edit{original_id, "ada", {}, "copy", {codec::encode(corrected)}};
  World stranger = world;
  corrected.ticket_id = "another";
  stranger.receive(messages::StandbyEdit{original_id, "ada", {}, "copy", {codec::encode(corrected)}});
  CHECK(stranger.last.status == 422);
  CHECK(stranger.last.answer.find("/body/ticket_id") != std::string::npos);
  stranger.receive(messages::StandbyEdit{original_id, "ada", {}, "copy", {"{}"}});
  CHECK(stranger.last.status == 422);

  world.receive(edit);
  CHECK(world.last.status == 200);
  REQUIRE(world.last.must_arrive.size() == 1);
  CHECK(world.last.must_arrive[0].body == edit.body.text);
  CHECK(world.last.must_arrive[0].envelope.assigned_board == "board");
  CHECK(world.state.item->id == "copy");
  CHECK(world.state.item->link_id == original_id);
  CHECK(world.state.item->state == StandbyState::retry_pending);
  CHECK(world.state.arrival->standby_id == "copy");
}

TEST_CASE("an edit of a delivery changes the ticket and retries it") {
  World world;
  world.dispatch();
  world.claim();
  world.report(messages::Outcome::refuse, messages::ReasonClass::invalid_data);
  const auto before = world.state;
  world.receive(messages::StandbyEdit{before.item->id, "ada", {}, "copy", {R"({"title":"Shorter"})"}});
  CHECK(world.last.status == 200);
  CHECK(world.state.ticket->title == "Shorter");
  CHECK(world.state.delivery->state == store::DeliveryState::waiting);
  CHECK(world.state.delivery->standby_id == "copy");
}

TEST_CASE("a retry without an answer is open again when its deadline passed, unless the delivery is under way") {
  World world = shelved_world();
  world.receive(messages::StandbyRetry{world.state.item->id, "ada", {}});
  world.carry_out(decide_retry_deadline(world.state, world.context));
  CHECK(world.state.item->state == StandbyState::retry_pending);
  world.pass(121 * second);
  world.carry_out(decide_retry_deadline(world.state, world.context));
  CHECK(world.state.item->state == StandbyState::open);
  CHECK(world.state.item->due_at == 0);
}

TEST_CASE("a job that the broker gave up on is only noted while its delivery lives; anything else is kept") {
  World world;
  world.state.item.reset();
  auto properties = world.envelope("jira.create.v1");
  const std::string job = R"({"delivery_id":"delivery","dispatch_no":1,"ticket_id":"ticket"})";
  const Incoming dead{properties, "standby", "jira", "standby", R"({"x-death":[{"reason":"delivery_limit"}]})", job};
  CHECK(dead_letter_needs(dead).delivery_id == "delivery");
  world.carry_out(decide_dead_letter(world.state, dead, world.context));
  CHECK_FALSE(world.state.item.has_value());
  CHECK(world.has_noted("job_dropped"));
  world.state.delivery.reset();
  world.carry_out(decide_dead_letter(world.state, dead, world.context));
  REQUIRE(world.state.item.has_value());
  CHECK(world.state.item->reason_class == "delivery_limit");
}

TEST_CASE("a bulk job knows how many it is about") {
  World world;
  world.state.matching_items = 3;
  world.receive(messages::StandbyRetryMany{"ada", messages::BulkAction::retry, {}, {}});
  CHECK(world.last.status == 202);
  CHECK(world.last.answer.find("\"total\":3") != std::string::npos);
  world.state.matching_items = 0;
  world.receive(messages::StandbyRetryMany{"ada", messages::BulkAction::remove, {}, {}});
  CHECK(world.last.status == 200);
}
