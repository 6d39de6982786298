#include <doctest/doctest.h>

#include "tests/unit/api/a_front_door.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

const std::string post_board = "POST /v1/boards";
const std::string post_ticket = "POST /v1/boards/" + some_id + "/tickets";

bool has(const Reply& reply, std::string_view text) { return reply.body.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("paths are known with and without the version") {
  for (const char* path : {"/v1/boards", "/boards"}) CHECK(find_route("GET", path).route != nullptr);
  CHECK(find_route("HEAD", "/boards").route == find_route("GET", "/boards").route);
  CHECK(find_route("POST", "/v1/standby/retry").route->schema == "BulkRetry");
  CHECK(find_route("GET", "/v1/boards/5D0F2E2C-0f0e-4a43-8f5c-0a4f6b1d2c3e").id == some_id);
  for (const char* path : {"", "/", "/v1", "/v1/", "/v2/boards", "/boards/", "/boards/not-a-uuid", "/v1/v1/boards", "/boards/../boards", "/%62oards", "//boards"}) {
    CAPTURE(path);
    CHECK(find_route("GET", path).route == nullptr);
    CHECK(find_route("GET", path).allowed.empty());
  }
}

TEST_CASE("a path that does not know the verb says which it knows") {
  ADoor door;
  const auto reply = door.refused("DELETE /v1/boards");
  CHECK(reply.status == 405);
  CHECK(header(reply, "Allow") == "POST, GET, HEAD");
  CHECK(door.refused("BREW /v1/boards").status == 405);
  CHECK(door.refused("GET /v1/nothing").status == 404);
}

TEST_CASE("who may not ask is refused before the body is looked at") {
  ADoor door;
  const auto missing = door.refused(post_board, "{", {}, "");
  CHECK(missing.status == 401);
  CHECK(header(missing, "WWW-Authenticate").starts_with("Bearer"));
  CHECK(door.refused(post_board, "{", {}, "prt_wrong").status == 401);
  CHECK(door.refused(post_board, "{", {}, reader_token).status == 403);
  CHECK(door.refused("GET /v1/metrics", {}, {}, reader_token).status == 403);
  CHECK(door.refused("GET /v1/openapi.json", {}, {}, "").status == 200);
  CHECK(door.refused(post_board, "{", "Authorization: Basic x\r\n", "").status == 401);
}

TEST_CASE("a wrong token is refused even where none is needed") {
  ADoor door;
  door.boards.known[some_id] = BoardFacts{.is_public = true};
  CHECK(door.refused(post_ticket, R"({"title":"a"})", {}, "prt_wrong_wrong_wrong").status == 401);
}

TEST_CASE("bodies must be announced as JSON and be small enough") {
  ADoor door;
  CHECK(door.refused(post_board, "{}", "Content-Type: text/plain\r\n").status == 415);
  CHECK(door.refused(post_board).status == 415);
  CHECK(door.refused(post_board, "{}", "Content-Encoding: gzip\r\n").status == 415);
  CHECK(door.refused(post_board, std::string(5'000, ' ')).status == 413);
  CHECK(door.refused("DELETE /v1/boards/" + some_id, "{}").status == 400);
}

TEST_CASE("wrong JSON is refused and the place is named") {
  ADoor door;
  struct Row {
    std::string body;
    std::string_view says;
  };
  const std::vector<Row> rows{
      {"{", "byte"},
      {"{\"name\":\"a\"}x", "byte"},
      {"{\"name\":\"a\",\"name\":\"b\"}", "same member twice"},
      {"{\"name\":1e400}", "too large"},
      {"{\"name\":\"\xff\"}", "byte"},
      {"{\"name\":\"\\ud800\"}", "byte"},
      {"\xef\xbb\xbf{\"name\":\"a\"}", "byte"},
      {"{\"name\":\"a\\u0000b\"}", "\"pointer\":\"/name\""},
      {std::string(33, '[') + std::string(33, ']'), "byte"},
      {"NaN", "byte"},
      {"{'name':1}", "byte"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto reply = door.refused(post_board, row.body);
    CHECK(reply.status == 400);
    CHECK(reply.type == BodyType::problem);
    CHECK(has(reply, "urn:postroom:problem:invalid-json"));
    CHECK(has(reply, row.says));
  }
}

TEST_CASE("lengths are counted in code points, to the last one, at every depth") {
  ADoor door;
  door.boards.known[some_id] = BoardFacts{.is_public = true};
  const auto text = [](std::string_view point, std::size_t count) {
    std::string all;
    for (std::size_t n = 0; n < count; ++n) all += point;
    return all;
  };
  for (const std::string_view point : {"a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    CAPTURE(point);
    CHECK(std::holds_alternative<Promise>(door.ask(post_ticket, fmt::format(R"({{"title":"{}"}})", text(point, 255)))));
    const auto reply = door.refused(post_ticket, fmt::format(R"({{"title":"{}","creator_name":""}})", text(point, 256)));
    CHECK(reply.status == 400);
    CHECK(has(reply, R"("pointer":"/title")"));
    CHECK(has(reply, "no more than 255 characters"));
    CHECK(has(reply, R"("pointer":"/creator_name")"));
    CHECK(door.refused(post_board, fmt::format(R"({{"name":"a","keywords":["b","{}"]}})", text(point, 101))).status == 400);
  }
  CHECK(door.refused(post_ticket, R"({"title":""})").status == 400);
  CHECK(has(door.refused(post_ticket, R"({"title":5,"creator_name":""})"), R"("pointer":"/title")"));
}

TEST_CASE("bodies that do not fit their schema are refused with a pointer for each flaw") {
  ADoor door;
  door.boards.known[some_id] = BoardFacts{};
  struct Row {
    std::string line, body, pointer;
  };
  const std::string long_title(256, 'x');
  const std::vector<Row> rows{
      {post_ticket, R"({})", "/title"},
      {post_ticket, R"([])", ""},
      {post_ticket, R"("x")", ""},
      {post_ticket, R"({"title":"a","colour":"red"})", "/colour"},
      {post_ticket, R"({"title":"a","it's/~":1})", "/it's~1~0"},
      {post_ticket, R"({"title":1})", "/title"},
      {post_ticket, R"({"title":null})", "/title"},
      {post_ticket, R"({"title":""})", "/title"},
      {post_ticket, R"({"title":"a\nb"})", "/title"},
      {post_ticket, R"({"title":")" + long_title + "\"}", "/title"},
      {post_ticket, R"({"title":"a","priority":"huge"})", "/priority"},
      {post_ticket, R"({"title":"a","creator_email":"nobody"})", "/creator_email"},
      {post_board, R"({"name":"a","is_public":"yes"})", "/is_public"},
      {post_board, R"({"name":"a","keywords":["ok",""]})", "/keywords/1"},
      {post_board, R"({"name":"a","keywords":["ok","a\tb"]})", "/keywords/1"},
      {post_board, R"({"name":"a","target":{"kind":"mail"}})", "/target/kind"},
      {post_board, R"({"name":"a","target":{"kind":"desk","jira":{"project_key":"SUP","issue_type":"Task","x":1}}})", "/target/jira/x"},
      {post_board, R"({"name":"a","target":{"kind":"jira","connection_id":"x","jira":{"project_key":"SUP","issue_type":"Task"}}})", "/target/connection_id"},
      {post_board, R"({"name":"a","target":{"kind":"jira","jira":{"project_key":"SUP","issue_type":"Task"}}})", "/target/connection_id"},
      {post_board, R"({"name":"a","target":{"kind":"desk","trello":{"board_id":"0123456789abcdef01234567","list_id":"0123456789abcdef01234567"}}})", "/target/trello"},
      {"PATCH /v1/boards/" + some_id, R"({})", ""},
      {"PATCH /v1/tickets/" + some_id, R"({"state":"gone"})", "/state"},
      {"POST /v1/connections", R"({"name":"a","kind":"jira","base_url":"gopher://x","account":"a@b.de","secret":"s"})", "/base_url"},
      {"POST /v1/connections", R"({"name":"a","kind":"jira","base_url":"http://10.0.0.1","account":"a@b.de","secret":"s"})", "/base_url"},
      {"POST /v1/standby/retry", R"({"filter":{"board_id":"x"}})", "/filter/board_id"},
      {"POST /v1/standby/" + some_id + "/retry", R"({"force":true})", "/force"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto reply = door.refused(row.line, row.body);
    CAPTURE(reply.body);
    CHECK(reply.status == 400);
    CHECK(has(reply, "urn:postroom:problem:invalid-body"));
    CHECK(has(reply, fmt::format("\"pointer\":\"{}\"", row.pointer)));
  }
}

TEST_CASE("a title is measured in code points, not bytes") {
  ADoor door;
  door.boards.known[some_id] = BoardFacts{};
  std::string title;
  for (int n = 0; n < 255; ++n) title += "\xe2\x82\xac";
  CHECK(std::holds_alternative<Promise>(door.ask(post_ticket, fmt::format(R"({{"title":"{}"}})", title))));
  CHECK(door.refused(post_ticket, fmt::format(R"({{"title":"{}x"}})", title)).status == 400);
}

TEST_CASE("wrong headers are named") {
  ADoor door;
  const std::string long_key(256, 'k');
  CHECK(has(door.refused(post_board, R"({"name":"a"})", "Idempotency-Key: a b\r\n"), "\"header\":\"Idempotency-Key\""));
  CHECK(has(door.refused(post_board, R"({"name":"a"})", "Idempotency-Key:\r\n"), "\"header\":\"Idempotency-Key\""));
  CHECK(door.refused(post_board, R"({"name":"a"})", "Idempotency-Key: " + long_key + "\r\n").status == 400);
  CHECK(has(door.refused("DELETE /v1/boards/" + some_id, {}, "If-Match: 17\r\n"), "\"header\":\"If-Match\""));
}

TEST_CASE("unknown parameters are refused, and queries where none belong") {
  ADoor door;
  CHECK(has(door.refused("GET /v1/boards?limit=5&sort=name"), "\"parameter\":\"sort\""));
  CHECK(has(door.refused("GET /v1/boards?limit=%zz"), "\"parameter\":\"limit\""));
  CHECK(door.refused("DELETE /v1/boards/" + some_id + "?force=1").status == 400);
}
