#include <doctest/doctest.h>

#include "api/command_ids.hpp"
#include "common/codec/codec.hpp"
#include "tests/unit/api/a_front_door.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

const std::string post_ticket = "POST /v1/boards/" + some_id + "/tickets";
constexpr auto a_ticket = R"({"title":"Printer on fire","description":"Third floor.","creator_email":"a@b.de","priority":"high"})";

template <class Message>
Message message_of(const Command& command) {
  REQUIRE(command.type == Message::type);
  auto message = codec::decode<Message>(command.body);
  REQUIRE(message.ok());
  return *message;
}

template <class Message>
Message asked(ADoor& door, std::string_view line, std::string_view body = {}, std::string_view fields = {}) {
  const auto plan = door.ask(line, body, fields);
  if (const auto* reply = std::get_if<Reply>(&plan)) FAIL(reply->body);
  REQUIRE(std::holds_alternative<Exchange>(plan));
  return message_of<Message>(std::get<Exchange>(plan).command);
}

}  // namespace

TEST_CASE("a ticket becomes a promise with the ids that a repeat finds again") {
  ADoor door;
  door.boards.known[some_id] = BoardFacts{.is_public = true};
  const auto ask = [&] { return std::get<Promise>(door.ask(post_ticket, a_ticket, "Idempotency-Key: k1\r\n")); };
  const Promise promise = ask();
  const auto open = message_of<messages::TicketOpen>(promise.command);
  CHECK(open.board_id == some_id);
  CHECK(open.title == "Printer on fire");
  CHECK(open.description == "Third floor.");
  CHECK(open.creator_email == "a@b.de");
  CHECK_FALSE(open.creator_name.has_value());
  CHECK(open.priority == "high");
  CHECK(open.actor == "admin");
  CHECK(open.arrival == messages::ArrivalKind::api);
  CHECK(open.ticket_id == made_by(promise.command.id, "ticket"));
  CHECK(promise.promised.status == 202);
  CHECK(header(promise.promised, "Location") == "/v1/tickets/" + open.ticket_id);
  CHECK(promise.idempotency_key == "k1");
  CHECK(ask().command.body == promise.command.body);
  CHECK(ask().command.id == promise.command.id);
}

TEST_CASE("a public board takes tickets from nobody, another one does not") {
  ADoor door;
  door.boards.known[some_id] = BoardFacts{.is_public = true};
  const auto plan = door.ask(post_ticket, a_ticket, {}, "");
  REQUIRE(std::holds_alternative<Promise>(plan));
  const auto open = message_of<messages::TicketOpen>(std::get<Promise>(plan).command);
  CHECK(open.actor == "public");
  CHECK(open.arrival == messages::ArrivalKind::public_form);
  door.boards.known[some_id] = BoardFacts{};
  CHECK(door.refused(post_ticket, a_ticket, {}, "").status == 401);
  CHECK(std::holds_alternative<Promise>(door.ask(post_ticket, a_ticket)));
}

TEST_CASE("unknown and archived boards take no tickets") {
  ADoor door;
  CHECK(door.refused(post_ticket, a_ticket).status == 404);
  door.boards.known[some_id] = BoardFacts{.is_archived = true};
  const auto reply = door.refused(post_ticket, a_ticket);
  CHECK(reply.status == 409);
  CHECK(reply.body.find("urn:postroom:problem:board-archived") != std::string::npos);
  door.boards.is_readable = false;
  CHECK(door.refused(post_ticket, a_ticket).status == 503);
}

TEST_CASE("changes carry the version they build on and wait as the caller prefers") {
  ADoor door;
  const auto plan = door.ask("PATCH /v1/tickets/" + some_id, R"({"state":"resolved","note":"Done."})", "If-Match: \"v3\"\r\nPrefer: wait=2\r\n");
  const auto& exchange = std::get<Exchange>(plan);
  const auto change = message_of<messages::TicketChangeState>(exchange.command);
  CHECK(change.ticket_id == some_id);
  CHECK(change.state == messages::TicketState::resolved);
  CHECK(change.expected_version == 3);
  CHECK(change.note == "Done.");
  CHECK(exchange.wait == std::chrono::seconds{2});
  CHECK(exchange.accepted.status == 202);
  CHECK(header(exchange.accepted, "Location") == "/v1/commands/" + exchange.command.id);
  const auto unhurried = door.ask("DELETE /v1/boards/" + some_id);
  CHECK(std::get<Exchange>(unhurried).wait == door.settings.reply_wait);
}

TEST_CASE("boards carry their target to the ledger") {
  ADoor door;
  const auto create = asked<messages::BoardCreate>(
      door, "POST /v1/boards",
      R"({"name":"Support","is_public":true,"keywords":["printer"],"target":{"kind":"jira","connection_id":"5D0F2E2C-0F0E-4A43-8F5C-0A4F6B1D2C3E","jira":{"project_key":"SUP","issue_type":"Task"}}})");
  CHECK(create.name == "Support");
  CHECK(create.is_public);
  CHECK(create.keywords == std::vector<std::string>{"printer"});
  CHECK(create.target.kind == messages::TargetKind::jira);
  CHECK(create.target.connection_id == some_id);
  CHECK(create.target.jira->project_key == "SUP");
  CHECK(asked<messages::BoardCreate>(door, "POST /v1/boards", R"({"name":"Desk"})").target == messages::Target{});
  const auto update = asked<messages::BoardUpdate>(door, "PATCH /v1/boards/" + some_id, R"({"state":"archived"})");
  CHECK(update.state == messages::BoardState::archived);
  CHECK_FALSE(update.name.has_value());
  CHECK_FALSE(update.keywords.has_value());
}

TEST_CASE("a connection's secret leaves the api only sealed, for its kind and its row") {
  ADoor door;
  constexpr auto body = R"({"name":"Site","kind":"trello","base_url":"https://api.trello.com/","account":"key","secret":"top-secret"})";
  const auto plan = door.ask("POST /v1/connections", body, "Idempotency-Key: c1\r\n");
  const auto& exchange = std::get<Exchange>(plan);
  const auto create = message_of<messages::ConnectionCreate>(exchange.command);
  CHECK(exchange.command.body.find("top-secret") == std::string::npos);
  CHECK(create.secret_sealed == fmt::format("sealed(trello,{},10)", create.connection_id));
  CHECK(create.base_url == "https://api.trello.com");
  CHECK(exchange.location == "/v1/connections/" + create.connection_id);
  CHECK(create.connection_id == made_by(exchange.command.id, "connection"));
}

TEST_CASE("plain http is for installations that allow it") {
  ADoor door;
  door.settings.may_call_plain_http = true;
  const auto create = asked<messages::ConnectionCreate>(
      door, "POST /v1/connections", R"({"name":"Sim","kind":"jira","base_url":"http://127.0.0.1:9","account":"a@b.de","secret":"s"})");
  CHECK(create.base_url == "http://127.0.0.1:9");
}

TEST_CASE("standby commands say what an operator wants") {
  ADoor door;
  const std::string item = "/v1/standby/" + some_id;
  const auto assign = asked<messages::StandbyAssign>(door, "POST " + item + "/assign", R"({"assignee":"kim","note":"mine"})");
  CHECK(assign.assignee == "kim");
  CHECK_FALSE(assign.board_id.has_value());
  CHECK(asked<messages::StandbyRetry>(door, "POST " + item + "/retry").standby_id == some_id);
  CHECK(asked<messages::StandbyRetry>(door, "POST " + item + "/retry", "{}").standby_id == some_id);
  CHECK(asked<messages::StandbyEdit>(door, "PUT " + item, R"({"body":{"title":"b"}})").body.text == R"({"title":"b"})");
  CHECK(asked<messages::StandbyDelete>(door, "DELETE " + item, R"({"reason":"spam"})").reason == "spam");
  const auto many = asked<messages::StandbyRetryMany>(door, "POST /v1/standby/retry", R"({"filter":{"kind":"delivery","reason_class":"credentials"}})");
  CHECK(many.action == messages::BulkAction::retry);
  CHECK(many.filter.kind == messages::StandbyKind::delivery);
  CHECK(many.filter.reason_class == "credentials");
}

TEST_CASE("a message that names bytes which are not kept is refused with the member") {
  struct Row {
    std::string body;
    std::string place;  // empty: taken
  };
  ADoor door;
  const std::string here(64, 'a'), gone(64, 'b');
  door.blobs[here] = 9;
  const auto arrived = [](const std::string& sha256, int size) { return fmt::format(R"({{"blob":{{"sha256":"{}","size":{}}}}})", sha256, size); };
  const auto parsed = [&](const std::string& second) {
    return fmt::format(R"({{"mail":{{"attachments":[{{"blob":{{"sha256":"{}","size":9}}}},{{"blob":{{"sha256":"{}","size":9}}}}]}}}})", here, second);
  };
  const Row rows[] = {{arrived(here, 9), ""},        {arrived(gone, 9), "/body/blob"}, {arrived(here, 8), "/body/blob"}, {arrived("../etc/passwd", 9), "/body/blob"},
                      {R"({"blob":null})", ""},      {parsed(here), ""},               {parsed(gone), "/body/mail/attachments/1/blob"}};
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto plan = door.ask("PUT /v1/standby/" + some_id, fmt::format(R"({{"body":{}}})", row.body));
    CHECK(std::holds_alternative<Exchange>(plan) == row.place.empty());
    if (row.place.empty()) continue;
    const auto& reply = std::get<Reply>(plan);
    CHECK(reply.status == 422);
    CHECK(reply.type == BodyType::problem);
    CHECK(reply.body.find(fmt::format(R"("pointer":"{}")", row.place)) != std::string::npos);
  }
}

TEST_CASE("deleting in bulk needs the permission to delete") {
  ADoor door;
  CHECK(door.refused("POST /v1/standby/retry", R"({"filter":{},"action":"delete"})", {}, reader_token).status == 403);
  CHECK(std::holds_alternative<Exchange>(door.ask("POST /v1/standby/retry", R"({"filter":{}})", {}, reader_token)));
}

TEST_CASE("not ready says why") {
  ADoor door;
  const auto reply = door.refused("GET /readyz", {}, {}, "");
  CHECK(reply.status == 503);
  CHECK(reply.body.find("the database is not there yet") != std::string::npos);
}
