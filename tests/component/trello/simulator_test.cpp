// The trello conversations against the simulator, over the real HTTP client.

#include <doctest/doctest.h>

#include "tests/support/replies.hpp"
#include "tests/support/simulator.hpp"
#include "workers/trello/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::trello;
using namespace postroom::fakes;
using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;

namespace {

const std::string token = [] {
  std::string text = "ATTA";
  for (int i = 0; i < 12; ++i) text += "5ec2e7";
  return text;
}();

struct Far : support::Simulator {
  Far() : Simulator("trello") {}

  messages::Grant grant() {
    auto grant = grant_for(messages::TargetKind::trello);
    grant.site.base_url = base_url();
    grant.site.account = "0123456789abcdef0123456789abcdef";
    grant.sent_at_us = to_micros(SystemClock{}.wall());
    return grant;
  }
  worker::Step create(messages::Grant wanted, milliseconds timeout = std::chrono::seconds{20}) {
    return perform(worker::talk_of(CreateTalk{std::move(wanted), token}), timeout);
  }
  worker::Step resolve(messages::Grant wanted) { return perform(worker::talk_of(ResolveTalk{std::move(wanted), token})); }
};

std::string match_create(std::string rest) { return R"([{"match":{"method":"POST","path_prefix":"/1/cards"},)" + rest + R"(,"times":1}])"; }

}  // namespace

TEST_CASE("trello: a card with both markers is made and found again") {
  Far far;
  const auto done = verdict<worker::Done>(far.create(far.grant()));
  const auto objects = far.objects();
  REQUIRE(objects.size() == 1);
  CHECK(objects[0]["id"].text() == done.remote.id);
  CHECK(objects[0]["marker"].text() == far.grant().marker);
  CHECK(objects[0]["attachments"][0]["url"].text().find(far.grant().marker) != std::string_view::npos);
  CHECK(verdict<worker::Done>(far.resolve(far.grant())).remote.id == done.remote.id);
}

TEST_CASE("trello: committed and dropped is in doubt, and found; not committed is absent") {
  for (const char* how : {"rst", "fin", "status"}) {
    CAPTURE(how);
    Far far;
    far.rules(match_create(R"("action":"commit_then_drop","how":")" + std::string{how} + "\""));
    CHECK(shape(far.create(far.grant())).first == Outcome::unknown);
    CHECK(shape(far.resolve(far.grant())).first == Outcome::done);
    CHECK(far.objects().size() == 1);
  }
  Far far;
  far.rules(match_create(R"("action":"drop_before_commit")"));
  CHECK(shape(far.create(far.grant())).first == Outcome::unknown);
  CHECK(shape(far.resolve(far.grant())) == std::pair{Outcome::not_sent, ReasonClass::absent});
}

TEST_CASE("trello: when the list shows nothing, the board's creations do") {
  Far far;
  REQUIRE(shape(far.create(far.grant())).first == Outcome::done);
  far.rules(R"([{"match":{"path_prefix":"/1/lists/"},"action":"status","status":404}])");
  CHECK(shape(far.resolve(far.grant())).first == Outcome::done);
  auto another = far.grant();
  another.marker = "0190dddd-0000-7000-8000-00000000000d.0190eeee-0000-7000-8000-00000000000e";
  CHECK(shape(far.resolve(another)) == std::pair{Outcome::not_sent, ReasonClass::absent});
}

TEST_CASE("trello: hanging, dripping and pages are in doubt") {
  for (const char* action : {R"("action":"hang")", R"("action":"drip")", R"("action":"html","status":200,"commit":true)", R"("action":"html")"}) {
    CAPTURE(action);
    Far far;
    far.rules(match_create(action));
    CHECK(shape(far.create(far.grant(), milliseconds{1'000})).first == Outcome::unknown);
  }
}

TEST_CASE("trello: an enforced allowance is announced, obeyed and free of charge") {
  Far far;
  far.settings(R"({"token_max":1,"interval_ms":3000})");
  REQUIRE(shape(far.create(far.grant())).first == Outcome::done);
  const auto snoozed = verdict<worker::Snooze>(far.create(far.grant()));
  CHECK(snoozed.after == milliseconds{3'000});
  CHECK(far.objects().size() == 1);
}

TEST_CASE("trello: long and hostile texts are accepted by Trello's own checks") {
  Far far;
  auto wanted = far.grant();
  for (int i = 0; i < 20'000; ++i) wanted.ticket.description += i % 7 == 0 ? "\r\n" : i % 5 == 0 ? "\"\\\x02" : "😀";
  wanted.ticket.title = wanted.ticket.description;
  CHECK(shape(far.create(wanted)).first == Outcome::done);
}

TEST_CASE("trello: wrong tokens and lists are refused with Trello's words") {
  Far far;
  auto stranger = far.grant();
  stranger.site.account = "ffffffffffffffffffffffffffffffff";
  CHECK(verdict<worker::Refuse>(far.create(stranger)).text == "Trello answered 401: invalid key");
  auto elsewhere = far.grant();
  elsewhere.target.trello->list_id = "5f0000000000000000000fff";
  CHECK(shape(far.create(elsewhere)) == std::pair{Outcome::refuse, ReasonClass::not_found});
}

TEST_CASE("trello: the connection test names what fails") {
  Far far;
  const auto run = [&](messages::TrelloMapping mapping, std::string secret = token) {
    messages::TrelloTest test;
    test.site = far.grant().site;
    test.mapping = std::move(mapping);
    return verdict<worker::Tested>(far.perform(worker::test_talk_of(TestTalk{test, std::move(secret)}))).checks.back();
  };
  CHECK(run({"5f0000000000000000000b01", "5f0000000000000000000c01"}).passed);
  CHECK(run({"5f0000000000000000000b01", "5f0000000000000000000c01"}, "wrong").name == "log in");
  CHECK(run({"5f0000000000000000000fff", "5f0000000000000000000c01"}).name == "board");
  CHECK(run({"5f0000000000000000000b01", "5f0000000000000000000fff"}).name == "list");
  CHECK(run({"5f0000000000000000000b01", "5f0000000000000000000c03"}).name == "list");
}
