#include <doctest/doctest.h>

#include "tests/support/replies.hpp"
#include "workers/trello/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::trello;
using namespace postroom::fakes;

namespace {

messages::TrelloTest test_job() {
  messages::TrelloTest test;
  test.test_id = "t";
  test.site = {"connection", "https://api.trello.example", "key", "sealed"};
  test.mapping = grant_for(messages::TargetKind::trello).target.trello;
  return test;
}

const http::Reply me = replied(200, R"({"id":"5f0000000000000000000a01","username":"postroombot"})");
const http::Reply board = replied(200, R"({"id":"5f0000000000000000000b01","name":"Post room","closed":false})");
const http::Reply open_list = replied(200, R"({"id":"5f0000000000000000000c01","name":"To do","closed":false,"idBoard":"5f0000000000000000000b01"})");

worker::Tested run(std::vector<http::Reply> replies, messages::TrelloTest test = test_job()) {
  TestTalk talk{std::move(test), "token"};
  auto step = talk.begin();
  for (auto& reply : replies) {
    CHECK_FALSE(http_ask(step).has_effect);
    CHECK(http_ask(step).request.url.find("token") == std::string::npos);
    step = talk.next(std::move(reply));
  }
  return verdict<worker::Tested>(step);
}

}  // namespace

TEST_CASE("trello test: all is well") {
  const auto tested = run({me, board, open_list});
  REQUIRE(tested.checks.size() == 4);
  for (const auto& check : tested.checks) CHECK(check.passed);
  CHECK(tested.summary == "cards can be created in the list To do");
  auto bare = test_job();
  bare.mapping.reset();
  CHECK(run({me}, bare).checks.size() == 2);
}

TEST_CASE("trello test: what fails is named, with what to do") {
  struct Row {
    const char* check;
    std::vector<http::Reply> replies;
    const char* words;
    messages::ReasonClass reason_class;
  };
  using messages::ReasonClass;
  const Row rows[] = {
      {"reach", {failed(http::Failure::dns, false)}, "does not resolve", ReasonClass::unreachable},
      {"reach", {failed(http::Failure::tls_certificate, false)}, "certificate", ReasonClass::certificate},
      {"reach", {replied(200, "<html>")}, "not Trello", ReasonClass::protocol},
      {"reach", {replied(404, "")}, "not Trello", ReasonClass::protocol},
      {"reach", {replied(500, "")}, "500", ReasonClass::server_error},
      {"log in", {replied(401, "invalid key")}, "invalid key", ReasonClass::credentials},
      {"board", {me, replied(404, "board not found")}, "no board", ReasonClass::not_found},
      {"board", {me, replied(401, "unauthorized permission requested")}, "no board", ReasonClass::not_found},
      {"board", {me, replied(200, R"({"name":"Post room","closed":true})")}, "closed", ReasonClass::invalid_data},
      {"board", {me, replied(503, "")}, "503", ReasonClass::server_error},
      {"list", {me, board, replied(404, "not found")}, "no list", ReasonClass::not_found},
      {"list", {me, board, replied(200, R"({"name":"To do","closed":true,"idBoard":"5f0000000000000000000b01"})")}, "archived", ReasonClass::invalid_data},
      {"list", {me, board, replied(200, R"({"name":"To do","closed":false,"idBoard":"5f0000000000000000000b02"})")}, "another board", ReasonClass::invalid_data},
  };
  for (const auto& row : rows) {
    CAPTURE(row.check);
    CAPTURE(row.words);
    const auto tested = run(row.replies);
    CHECK(tested.checks.back().name == row.check);
    CHECK_FALSE(tested.checks.back().passed);
    CHECK(tested.reason_class == row.reason_class);
    CHECK(tested.summary.find(row.words) != std::string::npos);
  }
}

TEST_CASE("trello test: unusable keys and ids are told without asking") {
  auto odd = test_job();
  odd.site.account = "a\"b";
  CHECK(run({}, odd).checks.back().name == "log in");
  auto no_board = test_job();
  no_board.mapping->board_id = "short";
  CHECK(run({me}, no_board).checks.back().name == "board");
}
