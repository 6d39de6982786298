#include <doctest/doctest.h>

#include "tests/support/replies.hpp"
#include "workers/jira/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::jira;
using namespace postroom::fakes;
using codec::JsonView;
using http::Failure;
using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;

namespace {

messages::Grant grant() {
  auto grant = grant_for(messages::TargetKind::jira);
  grant.probe_base = 16;
  return grant;
}

JsonView body_of(const worker::Step& step) {
  const auto parsed = JsonView::parse(http_ask(step).request.body);
  REQUIRE(parsed.ok());
  return *parsed;
}

worker::Step answered(http::Reply reply) {
  CreateTalk talk{grant(), "token"};
  talk.begin();
  return talk.next(std::move(reply));
}

constexpr const char* created = R"({"id":"20001","key":"SUP-17","self":"https://site.example/rest/api/3/issue/20001"})";

}  // namespace

TEST_CASE("jira create: the request carries fields, all three markers and the credentials") {
  auto wanted = grant();
  wanted.site.base_url = "https://site.example/";
  wanted.attempt = 3;
  CreateTalk talk{wanted, "token"};
  const auto step = talk.begin();
  const auto ask = http_ask(step);
  CHECK(ask.has_effect);
  CHECK(ask.request.method == "POST");
  CHECK(ask.request.url == "https://site.example/rest/api/3/issue");
  CHECK(ask.request.basic_auth->user == "me@example.org");
  CHECK(ask.request.basic_auth->password == "token");
  const JsonView body = body_of(step);
  CHECK(body["fields"]["project"]["key"].text() == "SUP");
  CHECK(body["fields"]["issuetype"]["name"].text() == "Task");
  CHECK(body["fields"]["summary"].text() == "Printer on fire");
  CHECK(body["fields"]["description"]["type"].text() == "doc");
  CHECK(body["fields"]["labels"][0].text() == std::string{"postroom-"} + delivery);
  CHECK_FALSE(body["fields"]["priority"].exists());
  CHECK(body["properties"].size() == 1);
  CHECK(body["properties"][0]["key"].text() == "postroom.origin");
  CHECK(body["properties"][0]["value"]["marker"].text() == wanted.marker);
  CHECK(body["properties"][0]["value"]["attempt"].integer() == 3);
  CHECK(body["properties"][0]["value"]["ticket"].text() == ticket().id);
}

TEST_CASE("jira create: types and priorities go by id or by name; the label can be switched off") {
  auto wanted = grant();
  wanted.target.jira = messages::JiraMapping{"SUP", "10001", "3", false};
  CreateTalk by_id{wanted, "token"};
  JsonView fields = body_of(by_id.begin())["fields"];
  CHECK(fields["issuetype"]["id"].text() == "10001");
  CHECK(fields["priority"]["id"].text() == "3");
  CHECK_FALSE(fields["labels"].exists());
  wanted.target.jira = messages::JiraMapping{"SUP", "Bug", "High", true};
  CreateTalk by_name{wanted, "token"};
  fields = body_of(by_name.begin())["fields"];
  CHECK(fields["issuetype"]["name"].text() == "Bug");
  CHECK(fields["priority"]["name"].text() == "High");
}

TEST_CASE("jira create: 201 is done, with the key's number as the next base") {
  const auto done = verdict<worker::Done>(answered(replied(201, created)));
  CHECK(done.remote.id == "20001");
  CHECK(done.remote.key == "SUP-17");
  CHECK(done.remote.url == "https://site.example/browse/SUP-17");
  CHECK(done.remote.mark == 17);
  CHECK(done.note.empty());
  CHECK(verdict<worker::Done>(answered(replied(201, R"({"id":20001,"key":"SUP-17"})"))).remote.id == "20001");
}

TEST_CASE("jira create: every answer has its verdict") {
  struct Row {
    const char* name;
    http::Reply reply;
    Outcome outcome;
    ReasonClass why;
  };
  const Row rows[] = {
      {"201 with HTML", replied(201, "<html>"), Outcome::unknown, ReasonClass::protocol},
      {"201 with half a JSON", replied(201, R"({"id":"2)"), Outcome::unknown, ReasonClass::protocol},
      {"201 without a key", replied(201, R"({"id":"20001"})"), Outcome::unknown, ReasonClass::protocol},
      {"201 with an odd key", replied(201, R"({"id":"20001","key":"SUP"})"), Outcome::unknown, ReasonClass::protocol},
      {"204", replied(204, ""), Outcome::unknown, ReasonClass::protocol},
      {"302 to a login page", replied(302, ""), Outcome::unknown, ReasonClass::protocol},
      {"400 field", replied(400, R"({"errors":{"customfield_1":"Team is required."}})"), Outcome::refuse, ReasonClass::invalid_data},
      {"400 text", replied(400, "bad"), Outcome::refuse, ReasonClass::invalid_data},
      {"401", replied(401, ""), Outcome::refuse, ReasonClass::credentials},
      {"403", replied(403, "<html>"), Outcome::refuse, ReasonClass::credentials},
      {"404", replied(404, "{}"), Outcome::refuse, ReasonClass::not_found},
      {"405", replied(405, "{}"), Outcome::refuse, ReasonClass::invalid_data},
      {"408", replied(408, ""), Outcome::unknown, ReasonClass::server_error},
      {"409", replied(409, "{}"), Outcome::defer, ReasonClass::conflict},
      {"410", replied(410, "{}"), Outcome::refuse, ReasonClass::not_found},
      {"413", replied(413, ""), Outcome::refuse, ReasonClass::invalid_data},
      {"422", replied(422, "{}"), Outcome::refuse, ReasonClass::invalid_data},
      {"429", replied(429, "<html><title>Too many</title>"), Outcome::snooze, ReasonClass::rate_limited},
      {"500", replied(500, "{}"), Outcome::unknown, ReasonClass::server_error},
      {"502 page", replied(502, "<html>"), Outcome::unknown, ReasonClass::server_error},
      {"503 with Retry-After", replied(503, "", {{"Retry-After", "30"}}), Outcome::unknown, ReasonClass::server_error},
      {"504", replied(504, ""), Outcome::unknown, ReasonClass::server_error},
      {"unknown host", failed(Failure::dns, false), Outcome::defer, ReasonClass::unreachable},
      {"nobody listens", failed(Failure::connect, false), Outcome::defer, ReasonClass::unreachable},
      {"private address", failed(Failure::blocked_address, false), Outcome::defer, ReasonClass::blocked_address},
      {"wrong certificate", failed(Failure::tls_certificate, false), Outcome::defer, ReasonClass::certificate},
      {"handshake fails", failed(Failure::tls, false), Outcome::defer, ReasonClass::certificate},
      {"reset before sending", failed(Failure::reset_before_send, false), Outcome::defer, ReasonClass::unreachable},
      {"no connection in time", failed(Failure::timeout, false), Outcome::defer, ReasonClass::timeout},
      {"odd address", failed(Failure::refused_request, false), Outcome::refuse, ReasonClass::invalid_data},
      {"no answer in time", failed(Failure::timeout, true), Outcome::unknown, ReasonClass::timeout},
      {"reset after sending", failed(Failure::reset_after_send, true), Outcome::unknown, ReasonClass::unreachable},
      {"201, then reset", failed(Failure::reset_after_send, true, 201), Outcome::unknown, ReasonClass::unreachable},
      {"endless answer", failed(Failure::too_large, true), Outcome::unknown, ReasonClass::protocol},
      {"not HTTP", failed(Failure::protocol, true), Outcome::unknown, ReasonClass::protocol},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto [outcome, why] = shape(answered(row.reply));
    CHECK(messages::name_of(outcome) == messages::name_of(row.outcome));
    CHECK(messages::name_of(why) == messages::name_of(row.why));
  }
}

TEST_CASE("jira create: a refusal tells Jira's own words by field, a page only by its title") {
  const auto refused = verdict<worker::Refuse>(answered(replied(400, R"({"errorMessages":["No."],"errors":{"summary":"Too long.","duedate":"Wrong."}})")));
  CHECK(refused.text == "Jira answered 400: No.; summary: Too long.; duedate: Wrong.");
  CHECK(refused.http_status == 400);
  const auto page = verdict<worker::Unknown>(answered(replied(502, "<!DOCTYPE html><html><head><TITLE>Bad\n gateway</TITLE></head><body>long</body>")));
  CHECK(page.text == "Jira answered 502: Bad gateway");
}

TEST_CASE("jira create: the pause of a 429 in every form") {
  struct Row {
    std::vector<http::Header> headers;
    milliseconds pause;
  };
  const Row rows[] = {
      {{{"Retry-After", "1"}}, milliseconds{1'000}},
      {{{"Retry-After", "-5"}}, milliseconds{0}},
      {{{"Retry-After", "Fri, 20 Nov 2026 10:00:30 GMT"}, {"Date", "Fri, 20 Nov 2026 10:00:00 GMT"}}, milliseconds{30'000}},
      {{{"Retry-After", "Fri, 20 Nov 2026 12:00:30 GMT"}, {"Date", "Fri, 20 Nov 2026 12:00:00 GMT"}}, milliseconds{30'000}},  // its clock, not ours
      {{{"X-RateLimit-Reset", "2026-11-20T10:01Z"}}, milliseconds{60'000}},
      {{{"Retry-After", "soon"}, {"X-RateLimit-Reset", "2026-11-20T10:00:07Z"}}, milliseconds{7'000}},
      {{}, milliseconds{2'000}},
  };
  for (const auto& row : rows) {
    const auto snoozed = verdict<worker::Snooze>(answered(replied(429, "", row.headers)));
    CHECK(snoozed.after == row.pause);
  }
  const auto reasoned = verdict<worker::Snooze>(answered(replied(429, "{}", {{"RateLimit-Reason", "jira-burst-based"}})));
  CHECK(reasoned.text.find("jira-burst-based") != std::string::npos);
}

TEST_CASE("jira create: announced limits are passed on") {
  CreateTalk talk{grant(), "token"};
  talk.begin();
  talk.next(replied(201, created, {{"X-RateLimit-Limit", "100"}, {"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "2026-11-20T10:00:05Z"}}));
  CHECK(talk.limits()->per_interval == 100);
  CHECK(talk.limits()->remaining == 7);
  CHECK(talk.limits()->reset_ms == 5'000);
  CreateTalk silent{grant(), "token"};
  silent.begin();
  silent.next(replied(201, created));
  CHECK_FALSE(silent.limits());
}

TEST_CASE("jira create: without a base the newest number is read and noted before anything is sent") {
  auto wanted = grant();
  wanted.probe_base.reset();
  CreateTalk talk{wanted, "token"};
  const auto probe = talk.begin();
  CHECK_FALSE(http_ask(probe).has_effect);
  CHECK(http_ask(probe).request.url == "https://site.example/rest/api/3/search/jql");
  CHECK(body_of(probe)["jql"].text() == "project = \"SUP\" ORDER BY created DESC");
  const auto note = talk.next(replied(200, R"({"issues":[{"id":"5","key":"SUP-12"},{"id":"4","key":"SUP-41"},{"id":"3","key":"odd"}],"isLast":true})"));
  CHECK(std::get<worker::CommitAsk>(std::get<worker::Ask>(note)).probe_base == 41);
  CHECK(http_ask(talk.next(worker::Committed{})).has_effect);
  CHECK(shape(talk.next(replied(201, created))).first == Outcome::done);
}

TEST_CASE("jira create: an empty project has the base 0") {
  auto wanted = grant();
  wanted.probe_base.reset();
  CreateTalk talk{wanted, "token"};
  talk.begin();
  const auto note = talk.next(replied(200, R"({"issues":[],"isLast":true})"));
  CHECK(std::get<worker::CommitAsk>(std::get<worker::Ask>(note)).probe_base == 0);
}

TEST_CASE("jira create: what goes wrong while reading the newest number did no harm") {
  struct Row {
    http::Reply reply;
    Outcome outcome;
    ReasonClass why;
  };
  const Row rows[] = {
      {replied(503, ""), Outcome::defer, ReasonClass::server_error},
      {failed(Failure::timeout, true), Outcome::defer, ReasonClass::timeout},
      {failed(Failure::reset_after_send, true), Outcome::defer, ReasonClass::unreachable},
      {failed(Failure::too_large, true), Outcome::defer, ReasonClass::protocol},
      {replied(200, "<html>"), Outcome::defer, ReasonClass::protocol},
      {replied(400, R"({"errorMessages":["The value 'SUP' does not exist for the field 'project'."]})"), Outcome::refuse, ReasonClass::not_found},
      {replied(401, ""), Outcome::refuse, ReasonClass::credentials},
      {replied(410, "{}"), Outcome::refuse, ReasonClass::not_found},
      {replied(429, ""), Outcome::snooze, ReasonClass::rate_limited},
      {replied(302, ""), Outcome::refuse, ReasonClass::protocol},
  };
  for (const auto& row : rows) {
    auto wanted = grant();
    wanted.probe_base.reset();
    CreateTalk talk{wanted, "token"};
    talk.begin();
    const auto [outcome, why] = shape(talk.next(row.reply));
    CAPTURE(row.reply.status);
    CHECK(messages::name_of(outcome) == messages::name_of(row.outcome));
    CHECK(messages::name_of(why) == messages::name_of(row.why));
  }
}

TEST_CASE("jira create: a structured 400 that names nothing but label or priority drops them, once, after a commit") {
  auto wanted = grant();
  wanted.target.jira->priority = "High";
  CreateTalk talk{wanted, "token"};
  talk.begin();
  const auto note = talk.next(replied(400, R"({"errorMessages":[],"errors":{"labels":"Field 'labels' cannot be set."}})"));
  CHECK(std::get<worker::CommitAsk>(std::get<worker::Ask>(note)).probe_base == 16);
  const auto second = talk.next(worker::Committed{});
  CHECK(http_ask(second).has_effect);
  CHECK_FALSE(body_of(second)["fields"]["labels"].exists());
  CHECK(body_of(second)["fields"]["priority"]["name"].text() == "High");
  CHECK(body_of(second)["properties"].size() == 1);
  const auto note_again = talk.next(replied(400, R"({"errors":{"priority":"Field 'priority' cannot be set."}})"));
  CHECK(std::holds_alternative<worker::CommitAsk>(std::get<worker::Ask>(note_again)));
  const auto third = talk.next(worker::Committed{});
  CHECK_FALSE(body_of(third)["fields"]["priority"].exists());
  const auto done = verdict<worker::Done>(talk.next(replied(201, created)));
  CHECK(done.note.find("without label") != std::string::npos);
  CHECK(done.note.find("without priority") != std::string::npos);
}

TEST_CASE("jira create: fields are not dropped on loose words, beside other errors, or twice") {
  CHECK(shape(answered(replied(400, R"({"errorMessages":["labels are wrong"],"errors":{}})"))).first == Outcome::refuse);
  CHECK(shape(answered(replied(400, "labels"))).first == Outcome::refuse);
  CHECK(shape(answered(replied(400, R"({"errors":{"labels":"x","summary":"y"}})"))).first == Outcome::refuse);
  CHECK(shape(answered(replied(400, R"({"errors":{"priority":"we sent none"}})"))).first == Outcome::refuse);
  CHECK(shape(answered(replied(500, R"({"errors":{"labels":"x"}})"))).first == Outcome::unknown);
  CreateTalk talk{grant(), "token"};
  talk.begin();
  talk.next(replied(400, R"({"errors":{"labels":"x"}})"));
  talk.next(worker::Committed{});
  CHECK(shape(talk.next(replied(400, R"({"errors":{"labels":"x"}})"))).first == Outcome::refuse);
}

TEST_CASE("jira create: a mapping that cannot be used is refused before anything is asked") {
  for (const char* project : {"", "SUP OPS", "SUP\" OR project = \"X", "10000", "S/UP"}) {
    CAPTURE(project);
    auto wanted = grant();
    wanted.target.jira->project_key = project;
    CHECK(shape(CreateTalk{wanted, "token"}.begin()) == std::pair{Outcome::refuse, ReasonClass::invalid_data});
  }
  auto wanted = grant();
  wanted.target.jira->issue_type.clear();
  CHECK(shape(CreateTalk{wanted, "token"}.begin()).first == Outcome::refuse);
  wanted.target.jira.reset();
  CHECK(shape(CreateTalk{wanted, "token"}.begin()).first == Outcome::refuse);
}
