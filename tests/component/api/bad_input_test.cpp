// What callers send wrong, against the running process: always a 4xx problem that names the place.

#include <doctest/doctest.h>

#include "api/json_view.hpp"
#include "tests/component/api/running_api.hpp"

using namespace postroom;
using namespace postroom::support;

namespace {

const std::string tickets = "/v1/boards/" + public_board + "/tickets";

struct Row {
  const char* name;
  Ask ask;
  int status;
  std::string slug;
  std::string place = {};  // somewhere in the body
};

}  // namespace

TEST_CASE("bad input is a problem that names the place") {
  auto& api = RunningApi::shared();
  const std::vector<Row> rows{
      {"wrong JSON", {"POST", tickets, "{\"title\":"}, 400, "invalid-json", "byte"},
      {"twice the same member", {"POST", tickets, R"({"title":"a","title":"b"})"}, 400, "invalid-json", "twice"},
      {"invalid UTF-8", {"POST", tickets, "{\"title\":\"\xff\"}"}, 400, "invalid-json", "byte"},
      {"infinity", {"POST", tickets, R"({"title":1e999})"}, 400, "invalid-json"},
      {"too deep", {"POST", tickets, std::string(40, '[') + std::string(40, ']')}, 400, "invalid-json"},
      {"no member", {"POST", tickets, "{}"}, 400, "invalid-body", "/title"},
      {"unknown member", {"POST", tickets, R"({"title":"a","zebra":1})"}, 400, "invalid-body", "/zebra"},
      {"wrong type", {"POST", tickets, R"({"title":5})"}, 400, "invalid-body", "/title"},
      {"bad e-mail", {"POST", tickets, R"({"title":"a","creator_email":"nobody"})"}, 400, "invalid-body", "/creator_email"},
      {"unknown board", {"POST", "/v1/boards/00000000-0000-4000-8000-00000000ffff/tickets", R"({"title":"a"})"}, 404, "not-found"},
      {"closed board", {"POST", "/v1/boards/" + archived_board + "/tickets", R"({"title":"a"})"}, 409, "board-archived"},
      {"private board, no token", {"POST", "/v1/boards/" + private_board + "/tickets", R"({"title":"a"})"}, 401, "unauthorized"},
      {"wrong token", {"POST", tickets, R"({"title":"a"})", "prt_wrong_wrong_wrong"}, 401, "unauthorized"},
      {"no token", {"GET", "/v1/boards"}, 401, "unauthorized"},
      {"wrong type of content", {"POST", tickets, "title=a", "", "Content-Type: application/x-www-form-urlencoded\r\n"}, 415, "unsupported-media-type"},
      {"announced too large", {"POST", tickets, std::string(1'100'000, 'x')}, 413, "body-too-large"},
      {"long key", {"POST", tickets, R"({"title":"a"})", "", "Idempotency-Key: " + std::string(256, 'k') + "\r\n"}, 400, "invalid-header", "Idempotency-Key"},
      {"unknown path", {"GET", "/v1/nothing"}, 404, "not-found"},
      {"unknown verb", {"DELETE", "/v1/boards"}, 405, "method-not-allowed"},
      {"unknown parameter", {"GET", "/v1/boards?sort=name", "", api.token()}, 400, "invalid-parameters", "sort"},
      {"wrong limit", {"GET", "/v1/boards?limit=201", "", api.token()}, 400, "invalid-parameters", "limit"},
      {"wrong cursor", {"GET", "/v1/boards?cursor=zzz", "", api.token()}, 400, "invalid-parameters", "cursor"},
      {"wrong state", {"GET", "/v1/tickets?state=gone", "", api.token()}, 400, "invalid-parameters", "state"},
      {"ticket that is not there yet", {"GET", "/v1/tickets/00000000-0000-4000-8000-00000000ffff", "", api.token()}, 404, "not-yet-applied"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto reply = api.ask(row.ask);
    CAPTURE(reply.body);
    CHECK(reply.status == row.status);
    CHECK(reply.headers.at("content-type") == "application/problem+json");
    const auto problem = api::JsonDocument::parse(reply.body);
    REQUIRE(problem.ok());
    CHECK(problem->root()["type"].string() == "urn:postroom:problem:" + row.slug);
    CHECK(problem->root()["status"].integer() == row.status);
    CHECK(reply.body.find(row.place) != std::string::npos);
  }
}

TEST_CASE("answers that want something more say it in a header") {
  auto& api = RunningApi::shared();
  CHECK(api.ask({.path = "/v1/boards"}).headers.at("www-authenticate").starts_with("Bearer"));
  CHECK(api.ask({.method = "DELETE", .path = "/v1/boards"}).headers.at("allow") == "POST, GET, HEAD");
  CHECK(api.ask_as_admin({.path = "/v1/commands/00000000-0000-4000-8000-00000000ffff"}).headers.at("retry-after") == "1");
}

TEST_CASE("errors tell nothing of the inside") {
  auto& api = RunningApi::shared();
  const auto reply = api.ask_as_admin({.path = "/v1/boards?cursor=zzz"});
  for (const char* inside : {"SELECT", "sqlite", ".cpp", "boost", "exception"}) CHECK(reply.body.find(inside) == std::string::npos);
  CHECK_FALSE(reply.headers.contains("server"));
}

TEST_CASE("reads answer from the database, a page at a time") {
  auto& api = RunningApi::shared();
  const auto first = api.ask_as_admin({.path = "/v1/boards?limit=2"});
  REQUIRE(first.status == 200);
  const auto page = api::JsonDocument::parse(first.body);
  REQUIRE(page.ok());
  CHECK(page->root()["data"].size() == 2);
  const auto cursor = page->root()["page"]["next"].text();
  REQUIRE(cursor.has_value());
  const auto second = api::JsonDocument::parse(api.ask_as_admin({.path = "/v1/boards?limit=2&cursor=" + *cursor}).body);
  REQUIRE(second.ok());
  CHECK(second->root()["data"].size() == 1);
  CHECK(second->root()["page"]["next"].is_null());
  const auto board = api.ask_as_admin({.path = "/boards/" + private_board});
  CHECK(board.status == 200);
  CHECK(board.headers.at("etag") == "\"v1\"");
}

TEST_CASE("the service tells of itself") {
  auto& api = RunningApi::shared();
  CHECK(api.ask({.path = "/openapi.json"}).body.find("\"openapi\": \"3.1.0\"") != std::string::npos);
  CHECK(api.ask({.path = "/readyz"}).status == 200);
  const auto health = api::JsonDocument::parse(api.ask({.path = "/healthz"}).body);
  REQUIRE(health.ok());
  CHECK(health->root()["status"].string() == "ok");
  const auto metrics = api.ask_as_admin({.path = "/metrics"});
  CHECK(metrics.headers.at("content-type").starts_with("application/openmetrics-text"));
  CHECK(metrics.body.ends_with("# EOF\n"));
  CHECK(api.ask({.path = "/metrics"}).status == 401);
}
