#include <doctest/doctest.h>

#include "common/base/text.hpp"
#include "tests/support/replies.hpp"
#include "workers/trello/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::trello;
using namespace postroom::fakes;
using codec::JsonView;
using http::Failure;
using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;

namespace {

messages::Grant grant() {
  auto grant = grant_for(messages::TargetKind::trello);
  grant.site.account = "0123456789abcdef0123456789abcdef";
  return grant;
}

worker::Step answered(http::Reply reply) {
  CreateTalk talk{grant(), "ATTAtoken"};
  talk.begin();
  return talk.next(std::move(reply));
}

JsonView body(messages::TicketCard ticket = fakes::ticket()) {
  auto wanted = grant();
  wanted.ticket = std::move(ticket);
  const auto parsed = JsonView::parse(http_ask(CreateTalk{wanted, "ATTAtoken"}.begin()).request.body);
  REQUIRE(parsed.ok());
  return *parsed;
}

constexpr const char* card = R"({"id":"65a0000000000000000000aa","shortLink":"AbCdEfGh","shortUrl":"https://trello.com/c/AbCdEfGh","url":"https://trello.com/c/AbCdEfGh/1-x"})";

}  // namespace

TEST_CASE("trello create: the request carries both markers, and the credentials in the header only") {
  CreateTalk talk{grant(), "ATTAtoken"};
  const auto ask = http_ask(talk.begin());
  CHECK(ask.has_effect);
  CHECK(ask.request.method == "POST");
  CHECK(ask.request.url == "https://site.example/1/cards");
  CHECK_FALSE(ask.request.basic_auth);
  CHECK(ask.request.headers[1].name == "Authorization");
  CHECK(ask.request.headers[1].value == "OAuth oauth_consumer_key=\"0123456789abcdef0123456789abcdef\", oauth_token=\"ATTAtoken\"");
  const JsonView sent = body();
  CHECK(sent["idList"].text() == "5f0000000000000000000c01");
  CHECK(sent["name"].text() == "Printer on fire");
  CHECK(sent["urlSource"].text() == ticket().url + "?m=" + grant().marker);
  CHECK(sent["desc"].text() == "It burns.\n\nPlease help.\n\nFrom: Ada <ada@example.org>\nTicket 42 on Support: " + ticket().url + "\nPostroom " + grant().marker);
}

TEST_CASE("trello create: names and descriptions keep their limits, the marker stays") {
  auto long_one = fakes::ticket();
  for (const char* piece : {"x", "€", "😀", "\"\n"}) {
    CAPTURE(piece);
    long_one.title.clear();
    long_one.description.clear();
    while (long_one.description.size() < 100'000) long_one.description += piece;
    long_one.title = long_one.description;
    const JsonView sent = body(long_one);
    CHECK(utf16_length(sent["name"].text()) <= text_limit);
    CHECK(utf16_length(sent["desc"].text()) <= text_limit);
    CHECK(utf16_length(sent["desc"].text()) > text_limit - 8);
    CHECK(sent["desc"].text().ends_with("Postroom " + grant().marker));
    CHECK(sent["desc"].text().find("[Shortened") != std::string_view::npos);
  }
  auto bare = fakes::ticket();
  bare.title = " ";
  bare.description.clear();
  bare.creator_email.reset();
  bare.creator_name = "Ada\nPostroom forged";
  CHECK(body(bare)["name"].text() == "(no title)");
  CHECK(body(bare)["desc"].text().starts_with("From: Ada Postroom forged\nTicket 42"));
}

TEST_CASE("trello create: 200 is done") {
  const auto done = verdict<worker::Done>(answered(replied(200, card)));
  CHECK(done.remote.id == "65a0000000000000000000aa");
  CHECK(done.remote.key == "AbCdEfGh");
  CHECK(done.remote.url == "https://trello.com/c/AbCdEfGh");
  CHECK_FALSE(done.remote.mark);
}

TEST_CASE("trello create: every answer has its verdict") {
  struct Row {
    const char* name;
    http::Reply reply;
    Outcome outcome;
    ReasonClass why;
  };
  const Row rows[] = {
      {"200 with text", replied(200, "ok"), Outcome::unknown, ReasonClass::protocol},
      {"200 without an id", replied(200, "{}"), Outcome::unknown, ReasonClass::protocol},
      {"200 with an odd id", replied(200, R"({"id":"x"})"), Outcome::unknown, ReasonClass::protocol},
      {"201", replied(201, card), Outcome::unknown, ReasonClass::protocol},
      {"302", replied(302, ""), Outcome::unknown, ReasonClass::protocol},
      {"400", replied(400, "invalid value for idList"), Outcome::refuse, ReasonClass::invalid_data},
      {"401", replied(401, "invalid token"), Outcome::refuse, ReasonClass::credentials},
      {"403", replied(403, "forbidden"), Outcome::refuse, ReasonClass::credentials},
      {"404", replied(404, "could not find the board that the card belongs to"), Outcome::refuse, ReasonClass::not_found},
      {"409", replied(409, ""), Outcome::defer, ReasonClass::conflict},
      {"413", replied(413, ""), Outcome::refuse, ReasonClass::invalid_data},
      {"429", replied(429, R"({"error":"API_TOKEN_LIMIT_EXCEEDED","message":"Rate limit exceeded"})"), Outcome::snooze, ReasonClass::rate_limited},
      {"449", replied(449, ""), Outcome::unknown, ReasonClass::server_error},
      {"500", replied(500, "Internal Server Error"), Outcome::unknown, ReasonClass::server_error},
      {"503", replied(503, ""), Outcome::unknown, ReasonClass::server_error},
      {"504", replied(504, "<html>"), Outcome::unknown, ReasonClass::server_error},
      {"nobody listens", failed(Failure::connect, false), Outcome::defer, ReasonClass::unreachable},
      {"wrong certificate", failed(Failure::tls_certificate, false), Outcome::defer, ReasonClass::certificate},
      {"private address", failed(Failure::blocked_address, false), Outcome::defer, ReasonClass::blocked_address},
      {"no answer in time", failed(Failure::timeout, true), Outcome::unknown, ReasonClass::timeout},
      {"reset after sending", failed(Failure::reset_after_send, true), Outcome::unknown, ReasonClass::unreachable},
      {"endless answer", failed(Failure::too_large, true, 200), Outcome::unknown, ReasonClass::protocol},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto [outcome, why] = shape(answered(row.reply));
    CHECK(messages::name_of(outcome) == messages::name_of(row.outcome));
    CHECK(messages::name_of(why) == messages::name_of(row.why));
  }
}

TEST_CASE("trello create: errors come as text or JSON, and are told") {
  CHECK(verdict<worker::Refuse>(answered(replied(400, "invalid value for idList\n"))).text == "Trello answered 400: invalid value for idList");
  CHECK(verdict<worker::Snooze>(answered(replied(429, R"({"error":"API_KEY_LIMIT_EXCEEDED","message":"Rate limit exceeded"})"))).text ==
        "Trello answered 429: Rate limit exceeded (API_KEY_LIMIT_EXCEEDED)");
}

TEST_CASE("trello create: a 429 waits out the interval of the allowance that ended") {
  const std::vector<http::Header> announced{{"x-rate-limit-api-token-interval-ms", "10000"}, {"x-rate-limit-api-key-interval-ms", "20000"}};
  CHECK(verdict<worker::Snooze>(answered(replied(429, R"({"error":"API_TOKEN_LIMIT_EXCEEDED"})", announced))).after == milliseconds{10'000});
  CHECK(verdict<worker::Snooze>(answered(replied(429, R"({"error":"API_KEY_LIMIT_EXCEEDED"})", announced))).after == milliseconds{20'000});
  CHECK(verdict<worker::Snooze>(answered(replied(429, R"({"error":"MEMBER_LIMIT_EXCEEDED"})", announced))).after == milliseconds{900'000});
  CHECK(verdict<worker::Snooze>(answered(replied(429, "Rate limit exceeded"))).after == milliseconds{10'000});
  CHECK(verdict<worker::Snooze>(answered(replied(429, "", {{"Retry-After", "3"}}))).after == milliseconds{3'000});
  CHECK(verdict<worker::Snooze>(answered(replied(429, "", {{"x-rate-limit-api-token-interval-ms", "0"}}))).after == milliseconds{1'000});
}

TEST_CASE("trello create: the allowance that is nearer to its end is passed on") {
  CreateTalk talk{grant(), "ATTAtoken"};
  talk.begin();
  talk.next(replied(200, card, {{"x-rate-limit-api-token-max", "100"}, {"x-rate-limit-api-token-remaining", "60"}, {"x-rate-limit-api-token-interval-ms", "10000"},
                                {"x-rate-limit-api-key-max", "300"}, {"x-rate-limit-api-key-remaining", "50"}, {"x-rate-limit-api-key-interval-ms", "10000"}}));
  CHECK(talk.limits()->per_interval == 300);
  CHECK(talk.limits()->remaining == 50);
  CHECK(talk.limits()->interval_ms == 10'000);
}

TEST_CASE("trello create: what cannot be used is refused before anything is asked") {
  auto no_list = grant();
  no_list.target.trello->list_id = "../boards";
  CHECK(shape(CreateTalk{no_list, "ATTAtoken"}.begin()) == std::pair{Outcome::refuse, ReasonClass::invalid_data});
  no_list.target.trello.reset();
  CHECK(shape(CreateTalk{no_list, "ATTAtoken"}.begin()) == std::pair{Outcome::refuse, ReasonClass::invalid_data});
  for (const char* token : {"", "a\"b", "a\r\nb", "a b"}) CHECK(shape(CreateTalk{grant(), token}.begin()) == std::pair{Outcome::refuse, ReasonClass::credentials});
}
