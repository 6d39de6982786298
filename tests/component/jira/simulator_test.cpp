// The jira conversations against the simulator, over the real HTTP client.

#include <doctest/doctest.h>

#include "tests/support/replies.hpp"
#include "tests/support/simulator.hpp"
#include "workers/jira/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::jira;
using namespace postroom::fakes;
using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;

namespace {

struct Far : support::Simulator {
  Far() : Simulator("jira") {}

  messages::Grant grant(std::optional<std::int64_t> probe_base = 0) {
    auto grant = grant_for(messages::TargetKind::jira);
    grant.site.base_url = base_url();
    grant.site.account = "bot@example.test";
    grant.probe_base = probe_base;
    return grant;
  }
  worker::Step create(messages::Grant wanted, milliseconds timeout = std::chrono::seconds{20}) {
    return perform(worker::talk_of(CreateTalk{std::move(wanted), "jira-secret"}), timeout);
  }
  worker::Step resolve(messages::Grant wanted) { return perform(worker::talk_of(ResolveTalk{std::move(wanted), "jira-secret"})); }
  void other_issues(int count) {
    for (int i = 0; i < count; ++i) {
      auto other = grant();
      other.marker = "0190dddd-0000-7000-8000-00000000000d." + std::to_string(i);
      REQUIRE(shape(create(other)).first == Outcome::done);
    }
  }
};

std::string match_create(std::string rest) { return R"([{"match":{"method":"POST","path_prefix":"/rest/api/3/issue"},)" + rest + R"(,"times":1}])"; }

}  // namespace

TEST_CASE("jira: an issue with all markers is made, from probe to done, and found again") {
  Far far;
  far.other_issues(2);
  const auto done = verdict<worker::Done>(far.create(far.grant(std::nullopt)));
  CHECK(far.commits == 1);
  CHECK(done.remote.key == "SUP-3");
  CHECK(done.note.empty());
  const auto objects = far.objects();
  REQUIRE(objects.size() == 3);
  CHECK(objects[2]["properties"]["postroom.origin"]["marker"].text() == far.grant().marker);
  CHECK(objects[2]["fields"]["labels"][0].text() == std::string{"postroom-"} + delivery);
  CHECK(verdict<worker::Done>(far.resolve(far.grant(2))).remote.id == done.remote.id);
}

TEST_CASE("jira: committed and dropped is in doubt, and found, through gaps and a late index") {
  for (const char* how : {"rst", "fin", "status"}) {
    CAPTURE(how);
    Far far;
    far.settings(R"({"key_gap":0.5,"index_lag_ms":60000})");
    far.rules(match_create(R"("action":"commit_then_drop","how":")" + std::string{how} + "\""));
    CHECK(shape(far.create(far.grant())).first == Outcome::unknown);
    CHECK(shape(far.resolve(far.grant())).first == Outcome::done);
    CHECK(far.objects().size() == 1);
  }
}

TEST_CASE("jira: dropped before the commit is in doubt, and absent") {
  Far far;
  far.other_issues(1);
  far.rules(match_create(R"("action":"drop_before_commit")"));
  CHECK(shape(far.create(far.grant(1))).first == Outcome::unknown);
  CHECK(shape(far.resolve(far.grant(1))) == std::pair{Outcome::not_sent, ReasonClass::absent});
  CHECK(far.objects().size() == 1);
}

TEST_CASE("jira: hanging, dripping and late answers are in doubt") {
  for (const char* action : {R"("action":"hang")", R"("action":"drip")", R"("action":"late_commit","how":"hang","after_ms":1)", R"("action":"html","commit":true)"}) {
    CAPTURE(action);
    Far far;
    far.rules(match_create(action));
    CHECK(shape(far.create(far.grant(), milliseconds{1'000})).first == Outcome::unknown);
  }
}

TEST_CASE("jira: a page with status 201 after the commit is never taken for done") {
  Far far;
  far.rules(match_create(R"("action":"html","status":201,"commit":true)"));
  CHECK(shape(far.create(far.grant())) == std::pair{Outcome::unknown, ReasonClass::protocol});
  CHECK(shape(far.resolve(far.grant())).first == Outcome::done);
}

TEST_CASE("jira: push-back in all forms is free of charge") {
  for (const char* form : {R"("retry_after_s":1)", R"("retry_after_date_s":2)", R"("reset_in_s":2,"reason":"jira-burst-based")", R"("body_kind":"html")"}) {
    CAPTURE(form);
    Far far;
    far.rules(match_create(R"("action":"status","status":429,)" + std::string{form}));
    const auto snoozed = verdict<worker::Snooze>(far.create(far.grant()));
    CHECK(snoozed.after >= milliseconds{1'000});
    CHECK(snoozed.after <= milliseconds{3'000});
    CHECK(far.objects().size() == 0);
  }
}

TEST_CASE("jira: a screen without labels and priority makes an issue without them") {
  Far far;
  far.settings(R"({"labels_on_screen":false,"priority_on_screen":false})");
  auto wanted = far.grant();
  wanted.target.jira->priority = "High";
  const auto done = verdict<worker::Done>(far.create(wanted));
  CHECK(done.note.find("label and priority") != std::string::npos);
  CHECK(far.commits == 1);
  CHECK(far.objects().size() == 1);
  CHECK(shape(far.resolve(far.grant())).first == Outcome::done);  // by the property
}

TEST_CASE("jira: hostile titles and descriptions are accepted by Jira's own checks") {
  Far far;
  auto wanted = far.grant();
  for (int i = 0; i < 400; ++i) wanted.ticket.title += " 😀\r\n";
  for (int i = 0; i < 20'000; ++i) wanted.ticket.description += i % 7 == 0 ? "\n" : i % 5 == 0 ? "\"\\\x02" : "€";
  CHECK(shape(far.create(wanted)).first == Outcome::done);
}

TEST_CASE("jira: a required field, wrong credentials and an unknown project are refused with Jira's words") {
  Far far;
  far.settings(R"({"required_fields":["customfield_10050"]})");
  CHECK(verdict<worker::Refuse>(far.create(far.grant())).text.find("customfield_10050") != std::string::npos);
  auto stranger = far.grant();
  stranger.site.account = "stranger@example.test";
  CHECK(shape(far.create(stranger)) == std::pair{Outcome::refuse, ReasonClass::credentials});
  auto elsewhere = far.grant(std::nullopt);
  elsewhere.target.jira->project_key = "NONE";
  CHECK(shape(far.create(elsewhere)) == std::pair{Outcome::refuse, ReasonClass::not_found});
}

TEST_CASE("jira: the connection test names what fails") {
  Far far;
  const auto run = [&](std::string account, messages::JiraMapping mapping) {
    messages::JiraTest test;
    test.site = far.grant().site;
    test.site.account = std::move(account);
    test.mapping = std::move(mapping);
    return verdict<worker::Tested>(far.perform(worker::test_talk_of(TestTalk{test, "jira-secret"}))).checks.back();
  };
  CHECK(run("bot@example.test", {"SUP", "Task", {}, {}}).passed);
  CHECK(run("nobody@example.test", {"SUP", "Task", {}, {}}).name == "log in");
  CHECK(run("bot@example.test", {"NONE", "Task", {}, {}}).name == "project");
  CHECK(run("bot@example.test", {"SUP", "Epic", {}, {}}).name == "issue type");
  far.settings(R"({"denied":["CREATE_ISSUES"]})");
  CHECK(run("bot@example.test", {"SUP", "Task", {}, {}}).name == "permissions");
}
