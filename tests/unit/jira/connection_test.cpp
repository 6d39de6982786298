#include <doctest/doctest.h>

#include "tests/support/replies.hpp"
#include "workers/jira/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::jira;
using namespace postroom::fakes;

namespace {

messages::JiraTest test_job() {
  messages::JiraTest test;
  test.test_id = "t";
  test.site = grant_for(messages::TargetKind::jira).site;
  test.mapping = messages::JiraMapping{"SUP", "Task", {}, {}};
  return test;
}

const http::Reply myself = replied(200, R"({"accountId":"5b10","displayName":"Postroom bot"})");
const http::Reply permissions =
    replied(200, R"({"permissions":{"BROWSE_PROJECTS":{"havePermission":true},"CREATE_ISSUES":{"havePermission":true}}})");
const http::Reply types = replied(200, R"({"issueTypes":[{"id":"10001","name":"Task"},{"id":"10002","name":"Bug"}],"total":2})");
const http::Reply fields = replied(200, R"({"fields":[{"fieldId":"summary","name":"Summary","required":true,"hasDefaultValue":false},
  {"fieldId":"reporter","name":"Reporter","required":true,"hasDefaultValue":true},{"fieldId":"labels","name":"Labels","required":false}]})");

worker::Tested run(std::vector<http::Reply> replies, messages::JiraTest test = test_job()) {
  TestTalk talk{std::move(test), "token"};
  auto step = talk.begin();
  for (auto& reply : replies) {
    CHECK_FALSE(http_ask(step).has_effect);
    step = talk.next(std::move(reply));
  }
  return verdict<worker::Tested>(step);
}

}  // namespace

TEST_CASE("jira test: all is well") {
  const auto tested = run({myself, permissions, types, fields});
  REQUIRE(tested.checks.size() == 6);
  for (const auto& check : tested.checks) CHECK(check.passed);
  CHECK(tested.summary == "issues can be created in SUP");
  auto bare = test_job();
  bare.mapping.reset();
  CHECK(run({myself}, bare).checks.size() == 2);
  auto by_id = test_job();
  by_id.mapping->issue_type = "10002";
  CHECK(run({myself, permissions, types, fields}, by_id).checks.back().passed);
}

TEST_CASE("jira test: what fails is named, with what to do") {
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
      {"reach", {failed(http::Failure::blocked_address, false)}, "detail", ReasonClass::blocked_address},
      {"reach", {failed(http::Failure::timeout, true)}, "in time", ReasonClass::timeout},
      {"reach", {replied(200, "<html>")}, "no Jira Cloud site", ReasonClass::protocol},
      {"reach", {replied(404, "")}, "no Jira Cloud site", ReasonClass::protocol},
      {"reach", {replied(302, "")}, "no Jira Cloud site", ReasonClass::protocol},
      {"reach", {replied(503, "")}, "503", ReasonClass::server_error},
      {"log in", {replied(401, "")}, "API token", ReasonClass::credentials},
      {"project", {myself, replied(404, "{}")}, "no project SUP", ReasonClass::not_found},
      {"project", {myself, replied(500, "")}, "500", ReasonClass::server_error},
      {"permissions", {myself, replied(200, R"({"permissions":{"BROWSE_PROJECTS":{"havePermission":true},"CREATE_ISSUES":{"havePermission":false}}})")}, "CREATE_ISSUES", ReasonClass::credentials},
      {"issue type", {myself, permissions, replied(200, R"({"issueTypes":[{"id":"1","name":"Bug"}]})")}, "it offers: Bug", ReasonClass::invalid_data},
      {"issue type", {myself, permissions, replied(400, "{}")}, "400", ReasonClass::invalid_data},
      {"fields", {myself, permissions, types, replied(200, R"({"fields":[{"fieldId":"customfield_1","name":"Team","required":true,"hasDefaultValue":false}]})")}, "Team", ReasonClass::invalid_data},
  };
  for (const auto& row : rows) {
    CAPTURE(row.check);
    CAPTURE(row.words);
    const auto tested = run(row.replies);
    CHECK(tested.checks.back().name == row.check);
    CHECK_FALSE(tested.checks.back().passed);
    CHECK(tested.reason_class == row.reason_class);
    CHECK(tested.summary.find(row.words) != std::string::npos);
    CHECK(tested.summary.find("token\"") == std::string::npos);
  }
}

TEST_CASE("jira test: labels that are off the screen are told, not failed") {
  const auto tested = run({myself, permissions, types, replied(200, R"({"fields":[]})")});
  CHECK(tested.checks.back().passed);
  CHECK(tested.checks.back().detail.find("without Postroom's label") != std::string::npos);
}
