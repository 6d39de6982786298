#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/replies.hpp"
#include "workers/jira/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::jira;
using namespace postroom::fakes;
using codec::JsonView;
using messages::Outcome;
using messages::ReasonClass;

namespace {

messages::Grant grant() {
  auto grant = grant_for(messages::TargetKind::jira);
  grant.probe_base = 16;
  return grant;
}

std::string issue(int number, std::string_view marker = "", int id = 0) {
  const std::string properties = marker.empty() ? "" : fmt::format(R"("postroom.origin":{{"marker":"{}","attempt":1}})", marker);
  return fmt::format(R"({{"id":"{}","key":"SUP-{}","fields":{{}},"properties":{{{}}}}})", id == 0 ? 20'000 + number : id, number, properties);
}

http::Reply issues(std::initializer_list<std::string> all) {
  std::string list;
  for (const auto& one : all) list += (list.empty() ? "" : ",") + one;
  return replied(200, R"({"issues":[)" + list + R"(],"isLast":true})");
}

JsonView body_of(const worker::Step& step) { return *JsonView::parse(http_ask(step).request.body); }
bool is_page(const worker::Step& step) { return http_ask(step).request.url.ends_with("/rest/api/3/issue/bulkfetch"); }
bool is_search(const worker::Step& step) { return http_ask(step).request.url.ends_with("/rest/api/3/search/jql"); }

const std::string marker = grant().marker;

}  // namespace

TEST_CASE("jira resolve: an issue with our property is found by key, whatever the index says") {
  ResolveTalk talk{grant(), "token"};
  CHECK(is_search(talk.begin()));
  const auto page = talk.next(issues({issue(12)}));
  REQUIRE(is_page(page));
  CHECK_FALSE(http_ask(page).has_effect);
  CHECK(body_of(page)["issueIdsOrKeys"].size() == 100);
  CHECK(body_of(page)["issueIdsOrKeys"][0].text() == "SUP-17");
  CHECK(body_of(page)["issueIdsOrKeys"][99].text() == "SUP-116");
  CHECK(body_of(page)["properties"][0].text() == "postroom.origin");
  const auto second = talk.next(issues({issue(17, "somebody.else"), issue(18, marker), issue(19)}));
  REQUIRE(is_page(second));
  CHECK(body_of(second)["issueIdsOrKeys"][0].text() == "SUP-117");
  const auto label = talk.next(issues({}));
  REQUIRE(is_search(label));
  CHECK(body_of(label)["jql"].text() == fmt::format("project = \"SUP\" AND labels = \"postroom-{}\"", delivery));
  const auto done = verdict<worker::Done>(talk.next(issues({issue(18, marker)})));
  CHECK(done.remote.id == "20018");
  CHECK(done.remote.key == "SUP-18");
  CHECK(done.remote.mark == 18);
  CHECK(done.duplicates.empty());
}

TEST_CASE("jira resolve: nothing anywhere is absence") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  CHECK(is_page(talk.next(issues({}))));
  CHECK(is_search(talk.next(issues({}))));
  CHECK(shape(talk.next(issues({}))) == std::pair{Outcome::not_sent, ReasonClass::absent});
}

TEST_CASE("jira resolve: an empty page below the newest number ends nothing") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  talk.next(issues({issue(250)}));                       // the newest that the index knows
  CHECK(is_page(talk.next(issues({}))));                 // 17–116: a gap
  CHECK(is_page(talk.next(issues({}))));                 // 117–216: a gap
  CHECK(is_page(talk.next(issues({issue(301, marker)}))));  // 217–316
  CHECK(is_search(talk.next(issues({}))));               // 317–416: empty and past all
  CHECK(verdict<worker::Done>(talk.next(issues({}))).remote.key == "SUP-301");
}

TEST_CASE("jira resolve: several issues of one delivery: the lowest id counts, the others are told") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  talk.next(issues({}));
  talk.next(issues({issue(17, marker, 100'000), issue(18, marker, 99'999)}));
  talk.next(issues({}));
  const auto done = verdict<worker::Done>(talk.next(issues({issue(18, marker, 99'999), issue(400, marker, 100'001)})));
  CHECK(done.remote.id == "99999");
  REQUIRE(done.duplicates.size() == 2);
  CHECK(done.duplicates[0].id == "100000");
  CHECK(done.duplicates[1].id == "100001");
}

TEST_CASE("jira resolve: a label alone proves nothing") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  talk.next(issues({}));
  talk.next(issues({}));
  CHECK(shape(talk.next(issues({issue(18)}))).first == Outcome::not_sent);
}

TEST_CASE("jira resolve: without labels the index is not asked for one") {
  auto wanted = grant();
  wanted.target.jira->use_label = false;
  ResolveTalk talk{wanted, "token"};
  talk.begin();
  talk.next(issues({}));
  CHECK(shape(talk.next(issues({}))).first == Outcome::not_sent);
}

TEST_CASE("jira resolve: too many issues since end in a clear word, unless ours was among them") {
  for (const bool is_ours : {false, true}) {
    CAPTURE(is_ours);
    ResolveTalk talk{grant(), "token"};
    talk.begin();
    auto step = talk.next(issues({}));
    int pages = 0;
    for (int number = 17; is_page(step); number += 100, ++pages) step = talk.next(issues({issue(number, is_ours && number == 217 ? marker : "")}));
    CHECK(pages == 20);
    CHECK(is_search(step));
    step = talk.next(issues({}));
    CHECK(shape(step) == (is_ours ? std::pair{Outcome::done, ReasonClass::none} : std::pair{Outcome::refuse, ReasonClass::unresolvable}));
  }
}

TEST_CASE("jira resolve: no base means that nothing was sent") {
  auto wanted = grant();
  wanted.probe_base.reset();
  CHECK(shape(ResolveTalk{wanted, "token"}.begin()) == std::pair{Outcome::not_sent, ReasonClass::absent});
}

TEST_CASE("jira resolve: what goes wrong while reading is never taken for absence") {
  struct Row {
    http::Reply reply;
    Outcome outcome;
    ReasonClass why;
  };
  const Row rows[] = {
      {replied(500, ""), Outcome::defer, ReasonClass::server_error},
      {replied(503, "", {{"Retry-After", "9"}}), Outcome::defer, ReasonClass::server_error},
      {replied(200, "<html>"), Outcome::defer, ReasonClass::protocol},
      {replied(200, "{}"), Outcome::defer, ReasonClass::protocol},
      {replied(204, ""), Outcome::defer, ReasonClass::protocol},
      {failed(http::Failure::timeout, true), Outcome::defer, ReasonClass::timeout},
      {failed(http::Failure::connect, false), Outcome::defer, ReasonClass::unreachable},
      {failed(http::Failure::too_large, true), Outcome::defer, ReasonClass::protocol},
      {replied(401, ""), Outcome::refuse, ReasonClass::credentials},
      {replied(429, ""), Outcome::snooze, ReasonClass::rate_limited},
  };
  for (int stage = 0; stage < 3; ++stage) {
    for (const auto& row : rows) {
      ResolveTalk talk{grant(), "token"};
      talk.begin();
      for (int i = 0; i < stage; ++i) talk.next(issues({}));
      CAPTURE(stage);
      CAPTURE(row.reply.status);
      const auto [outcome, why] = shape(talk.next(row.reply));
      CHECK(messages::name_of(outcome) == messages::name_of(row.outcome));
      CHECK(messages::name_of(why) == messages::name_of(row.why));
    }
  }
}
