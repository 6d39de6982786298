#pragma once
// A worker of the trade "jira" on fakes, with a conversation whose steps the test writes down beforehand.

#include <doctest/doctest.h>

#include <deque>

#include "tests/support/fake_links.hpp"
#include "tests/support/fake_smtp.hpp"
#include "tests/support/fakes.hpp"
#include "workers/runtime/worker.hpp"

namespace postroom::worker {

using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;

// What the scripted conversations will say and what they heard. One per test case.
struct Script {
  std::deque<Step> steps;
  std::deque<TestStep> test_steps;
  std::vector<Answer> heard;
  std::string secret;
  messages::Grant grant;
  bool throws = false;
};
inline Script* script = nullptr;

struct ScriptedTalk {
  ScriptedTalk(messages::Grant grant, std::string secret) {
    script->grant = std::move(grant);
    script->secret = std::move(secret);
  }
  Step begin() { return take(); }
  Step next(const Answer& answer) {
    script->heard.push_back(answer);
    if (script->throws) throw std::runtime_error("a bug");
    return take();
  }
  std::optional<messages::Limits> limits() const { return messages::Limits{.remaining = 7}; }
  Step take() {
    REQUIRE_FALSE(script->steps.empty());
    Step step = std::move(script->steps.front());
    script->steps.pop_front();
    return step;
  }
};

struct ScriptedTest {
  ScriptedTest(messages::JiraTest, std::string secret) { script->secret = std::move(secret); }
  TestStep begin() { return take(); }
  TestStep next(const Answer& answer) {
    script->heard.push_back(answer);
    return take();
  }
  TestStep take() {
    TestStep step = std::move(script->test_steps.front());
    script->test_steps.pop_front();
    return step;
  }
};

inline Ask create_ask() { return HttpAsk{{.method = "POST", .url = "https://site.example/issue"}, true}; }
inline Ask read_ask() { return HttpAsk{{.url = "https://site.example/search"}, false}; }
inline Done done_step() { return Done{{"10001", "SUP-1", "https://site.example/browse/SUP-1", 1}, {}, ""}; }

struct Bench {
  Bench() { script = &said; }

  broker::Delivery delivery(std::string_view type, std::string body, std::uint64_t tag) {
    broker::Delivery one;
    one.link = 1;
    one.tag = tag;
    one.envelope.type = type;
    one.envelope.correlation_id = "correlation";
    one.body = std::move(body);
    return one;
  }
  void job(std::uint64_t tag = 1, std::string_view type = messages::JiraCreate::type, std::int64_t dispatch_no = 1, std::string id = "d1") {
    worker.on_deliveries({delivery(type, codec::encode(messages::JiraCreate{{std::move(id), dispatch_no, "t1"}}), tag)});
  }
  messages::Grant grant() {
    messages::Grant grant;
    grant.site = {"connection", "https://site.example", "me@example.org", master.seal("token", crypto::connection_place("connection"))};
    grant.marker = "installation.d1";
    grant.attempt = 1;
    return grant;
  }
  std::string token() { return codec::decode<messages::WorkClaim>(publisher.last(messages::WorkClaim::type)->message.body)->token; }
  void answer(messages::ClaimVerdict verdict, std::string_view asked = messages::WorkClaim::type, std::string of_token = "") {
    messages::ClaimAnswered answered;
    answered.token = of_token.empty() ? token() : std::move(of_token);
    answered.verdict = verdict;
    answered.asked = asked;
    if (verdict == messages::ClaimVerdict::send && asked == messages::WorkClaim::type) answered.grant = grant();
    worker.on_deliveries({delivery(messages::ClaimAnswered::type, codec::encode(answered), 0)});
  }
  void send() { answer(messages::ClaimVerdict::send); }
  void advance(milliseconds by) {
    clock.advance(by);
    if (woken_at <= clock.steady()) worker.on_time();
  }
  bool has_reported() const { return publisher.last(messages::WorkOutcome::type) != nullptr; }
  messages::WorkOutcome outcome() {
    const auto* sent = publisher.last(messages::WorkOutcome::type);
    REQUIRE(sent != nullptr);
    return *codec::decode<messages::WorkOutcome>(sent->message.body);
  }
  void confirm() { publisher.answer_last(messages::WorkOutcome::type); }
  http::Reply reply(int status, std::string body = "{}") {
    http::Reply answer;
    answer.status = status;
    answer.was_sent = true;
    answer.body = std::move(body);
    answer.took = milliseconds{12};
    return answer;
  }

  Script said;
  fakes::FakePublisher publisher;
  fakes::FakeConsumer consumer;
  fakes::FakeHttp http;
  fakes::FakeSmtp smtp;
  fakes::ManualClock clock;
  fakes::CountingIds ids;
  SteadyTime woken_at = SteadyTime::max();
  int rested = 0;
  crypto::Sealer master = *crypto::Sealer::from_master_key(crypto::to_base64(std::string(32, 'k')), "jira");
  Desk desk{{.instance = "4711-0a1b2c3d", .reply_key = "reply.jira.4711-0a1b2c3d"},
            *crypto::Sealer::from_kind_key(master.kind_key(), "jira"),
            publisher,
            consumer,
            http,
            smtp,
            clock,
            ids,
            [this](SteadyTime then) { woken_at = then; },
            [this] { ++rested; }};
  Worker worker{{"jira",
                 {job_kind<messages::JiraCreate, ScriptedTalk>(), job_kind<messages::JiraResolve, ScriptedTalk>(true)},
                 messages::JiraTest::type,
                 test_kind<messages::JiraTest, ScriptedTest>()},
                desk};
};

}  // namespace postroom::worker
