#include "common/codec/codec.hpp"

#include <doctest/doctest.h>

using namespace postroom;
using namespace postroom::messages;

TEST_CASE("a message survives a round trip with and without its optional members") {
  TicketOpen ticket{.ticket_id = "t", .board_id = "b", .arrival = ArrivalKind::public_form, .actor = "public", .title = "Gr\xc3\xbc\xc3\x9f\"e\n",
                    .description = "\x01", .creator_email = "a@example.org", .creator_name = {}, .priority = {}};
  const auto back = codec::decode<TicketOpen>(codec::encode(ticket));
  REQUIRE(back.ok());
  CHECK(back.value() == ticket);
}

TEST_CASE("nested, repeated and derived messages survive a round trip") {
  WorkOutcome outcome{.delivery_id = "d", .dispatch_no = 3, .token = "x", .outcome = Outcome::done};
  outcome.remote = Remote{.id = "10001", .key = "SUP-7", .url = "https://s/browse/SUP-7", .mark = 7};
  outcome.duplicates.push_back({.id = "10002", .key = "SUP-8", .url = "u", .mark = {}});
  CHECK(codec::decode<WorkOutcome>(codec::encode(outcome)).value() == outcome);
  JiraCreate job;
  job.delivery_id = "d";
  job.dispatch_no = 1;
  CHECK(codec::decode<JiraCreate>(codec::encode(job)).value().delivery_id == "d");
  StandbyEdit edit{.standby_id = "s", .actor = "a", .expected_version = 2, .new_id = "n", .body = {R"({"title":"x","n":[1,2.5,null]})"}};
  CHECK(codec::decode<StandbyEdit>(codec::encode(edit)).value().body.text == R"({"title":"x","n":[1,2.5E0,null]})");
}

TEST_CASE("errors name the place by JSON pointer") {
  const auto where = [](auto result) { return result.ok() ? std::string{"(accepted)"} : result.error().where(); };
  CHECK(where(codec::decode<BoardDelete>(R"({"actor":"a"})")) == "/board_id");
  CHECK(where(codec::decode<BoardDelete>(R"({"board_id":1,"actor":"a"})")) == "/board_id");
  CHECK(where(codec::decode<BoardCreate>(R"({"board_id":"b","actor":"a","name":"n","is_public":true,"keywords":["x",1],"target":{"kind":"desk"}})")) ==
        "/keywords/1");
  CHECK(where(codec::decode<BoardCreate>(R"({"board_id":"b","actor":"a","name":"n","is_public":true,"keywords":[],"target":{"kind":"fax"}})")) ==
        "/target/kind");
}

TEST_CASE("what JSON forbids, or what parsers disagree about, is refused") {
  for (const char* text : {"", "{", "[]", R"({"board_id":"b","actor":"a"} x)", R"({"board_id":"b","actor":"a","board_id":"c"})",
                           R"({"board_id":"b","actor":"a","n":1e400})", "{\"board_id\":\"\xff\",\"actor\":\"a\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(codec::decode<BoardDelete>(text).ok());
  }
  std::string deep = R"({"board_id":"b","actor":"a","n":)";
  for (int i = 0; i < 40; ++i) deep += "[";
  for (int i = 0; i < 40; ++i) deep += "]";
  CHECK_FALSE(codec::decode<BoardDelete>(deep + "}").ok());
}

TEST_CASE("unknown members are ignored") {
  CHECK(codec::decode<BoardDelete>(R"({"board_id":"b","actor":"a","later":{"x":1}})").ok());
}
