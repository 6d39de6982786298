#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/replies.hpp"
#include "workers/trello/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::trello;
using namespace postroom::fakes;
using messages::Outcome;
using messages::ReasonClass;

namespace {

messages::Grant grant() {
  auto grant = grant_for(messages::TargetKind::trello);
  grant.site.account = "key";
  grant.sent_at_us = 1'795'168'800'000'000;  // 2026-11-20T10:00:00Z
  return grant;
}

const std::string marker = grant().marker;
std::string id(int n) { return fmt::format("65a00000000000000000{:04x}", n); }

std::string card(int n, bool is_ours_by_desc = false, bool is_ours_by_url = false) {
  return fmt::format(R"({{"id":"{}","shortLink":"link{}","shortUrl":"https://trello.com/c/link{}","desc":"{}","attachments":[{}]}})", id(n), n, n,
                     is_ours_by_desc ? "text\\nPostroom " + marker : "text",
                     is_ours_by_url ? R"({"url":"https://desk.example.org/v1/tickets/x?m=)" + marker + "\"}" : "");
}
std::string action(int n, std::string_view name = "Another") {
  return fmt::format(R"({{"id":"{}","type":"createCard","data":{{"card":{{"id":"{}","name":"{}","shortLink":"link{}"}}}}}})", id(40'000 + n), id(n), name, n);
}
http::Reply list(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ",") + one;
  return replied(200, "[" + text + "]");
}
std::string url(const worker::Step& step) { return http_ask(step).request.url; }

}  // namespace

TEST_CASE("trello resolve: the list's cards settle it in one read") {
  for (const bool by_desc : {true, false}) {
    ResolveTalk talk{grant(), "token"};
    const auto step = talk.begin();
    CHECK_FALSE(http_ask(step).has_effect);
    CHECK(url(step).find("/1/lists/5f0000000000000000000c01/cards?") != std::string::npos);
    CHECK(url(step).find("since=2026-11-20T09%3A55%3A00.000Z") != std::string::npos);
    const auto done = verdict<worker::Done>(talk.next(list({card(1), card(2, by_desc, !by_desc), card(3)})));
    CHECK(done.remote.id == id(2));
    CHECK(done.remote.key == "link2");
    CHECK(done.duplicates.empty());
  }
}

TEST_CASE("trello resolve: several cards: the lowest id counts, the others are told") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  const auto done = verdict<worker::Done>(talk.next(list({card(9, true), card(2, false, true), card(5, true, true)})));
  CHECK(done.remote.id == id(2));
  REQUIRE(done.duplicates.size() == 2);
  CHECK(done.duplicates[0].id == id(5));
}

TEST_CASE("trello resolve: a moved or archived card is found among the board's creations; known cards are not asked for again") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  auto step = talk.next(list({card(1)}));
  CHECK(url(step).find("/1/boards/5f0000000000000000000b01/actions?filter=createCard,copyCard,moveCardToBoard") != std::string::npos);
  CHECK(url(step).find("since=2026-11-20T09%3A55%3A00.000Z") != std::string::npos);
  step = talk.next(list({action(3), action(2), action(1), action(2)}));
  CHECK(url(step).find("/1/cards/" + id(2) + "?") != std::string::npos);
  step = talk.next(replied(200, card(2)));
  CHECK(url(step).find("/1/cards/" + id(3) + "?") != std::string::npos);
  CHECK(verdict<worker::Done>(talk.next(replied(200, card(3, true)))).remote.id == id(3));
}

TEST_CASE("trello resolve: a creation that a person has deleted since counts as delivered when its name is ours") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  talk.next(list({}));
  talk.next(list({action(3, "Printer on fire"), action(2, "Another")}));
  const auto step = talk.next(replied(404, "The requested resource was not found."));  // 2: somebody else's
  CHECK(url(step).find(id(3)) != std::string::npos);
  const auto done = verdict<worker::Done>(talk.next(replied(404, "The requested resource was not found.")));
  CHECK(done.remote.id == id(3));
  CHECK(done.note.find("deleted") != std::string::npos);
}

TEST_CASE("trello resolve: nothing anywhere is absence") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  talk.next(list({card(1)}));
  talk.next(list({action(1), action(2)}));
  CHECK(shape(talk.next(replied(200, card(2)))) == std::pair{Outcome::not_sent, ReasonClass::absent});
}

TEST_CASE("trello resolve: creations are paged with before, and too many end in a clear word") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  auto step = talk.next(list({card(1)}));
  std::vector<std::string> page;
  for (int i = 0; i < 100; ++i) page.push_back(action(1));  // all known
  page.back() = action(1);
  int pages = 0;
  while (std::holds_alternative<worker::Ask>(step)) {
    CHECK((url(step).find("&before=" + id(40'001)) != std::string::npos) == (pages > 0));
    step = talk.next(list(page));
    ++pages;
  }
  CHECK(pages == 20);
  CHECK(shape(step) == std::pair{Outcome::refuse, ReasonClass::unresolvable});
}

TEST_CASE("trello resolve: at most 200 cards are asked for one by one") {
  ResolveTalk talk{grant(), "token"};
  talk.begin();
  auto step = talk.next(list({}));
  int number = 100, asked = 0;
  while (std::holds_alternative<worker::Ask>(step)) {
    if (url(step).find("/actions?") != std::string::npos) {
      std::vector<std::string> page;
      for (int i = 0; i < 100; ++i) page.push_back(action(number++));
      step = talk.next(list(page));
    } else {
      ++asked;
      step = talk.next(replied(200, card(1)));
    }
  }
  CHECK(asked == 200);
  CHECK(shape(step) == std::pair{Outcome::refuse, ReasonClass::unresolvable});
}

TEST_CASE("trello resolve: the list is a second witness and may be missing") {
  for (const auto& reply : {replied(404, "not found"), replied(400, "invalid id"), replied(403, "too many"), failed(http::Failure::too_large, true)}) {
    ResolveTalk talk{grant(), "token"};
    talk.begin();
    CHECK(url(talk.next(reply)).find("/actions?") != std::string::npos);
  }
}

TEST_CASE("trello resolve: what goes wrong while reading is never taken for absence") {
  struct Row {
    http::Reply reply;
    Outcome outcome;
    ReasonClass why;
  };
  const Row rows[] = {
      {replied(500, ""), Outcome::defer, ReasonClass::server_error},
      {replied(504, ""), Outcome::defer, ReasonClass::server_error},
      {replied(200, "text"), Outcome::defer, ReasonClass::protocol},
      {failed(http::Failure::timeout, true), Outcome::defer, ReasonClass::timeout},
      {failed(http::Failure::dns, false), Outcome::defer, ReasonClass::unreachable},
      {replied(401, "invalid token"), Outcome::refuse, ReasonClass::credentials},
      {replied(429, ""), Outcome::snooze, ReasonClass::rate_limited},
  };
  for (int stage = 0; stage < 3; ++stage) {
    for (const auto& row : rows) {
      ResolveTalk talk{grant(), "token"};
      talk.begin();
      if (stage > 0) talk.next(list({}));
      if (stage > 1) talk.next(list({action(2)}));
      CAPTURE(stage);
      CAPTURE(row.reply.status);
      const auto [outcome, why] = shape(talk.next(row.reply));
      CHECK(messages::name_of(outcome) == messages::name_of(row.outcome));
      CHECK(messages::name_of(why) == messages::name_of(row.why));
    }
  }
}

TEST_CASE("trello resolve: an attempt without time or place cannot be resolved by a program") {
  auto no_time = grant();
  no_time.sent_at_us.reset();
  CHECK(shape(ResolveTalk{no_time, "token"}.begin()) == std::pair{Outcome::refuse, ReasonClass::unresolvable});
  auto no_board = grant();
  no_board.target.trello.reset();
  CHECK(shape(ResolveTalk{no_board, "token"}.begin()) == std::pair{Outcome::refuse, ReasonClass::unresolvable});
}
