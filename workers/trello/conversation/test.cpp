#include <fmt/format.h>

#include "workers/trello/conversation/talks.hpp"

namespace postroom::trello {

using codec::JsonView;
using messages::ReasonClass;
using worker::reason_class_of;
using worker::TestStep;

namespace {

bool is_good(const http::Reply& reply) { return reply.failure == http::Failure::none && reply.status == 200; }

std::string told(const http::Reply& reply) {
  if (reply.failure != http::Failure::none) return worker::transport_words(far_side, reply);
  return fmt::format("Trello answered {}: {}", reply.status, words_of(reply));
}

}  // namespace

TestTalk::TestTalk(messages::TrelloTest test, std::string secret) : test_(std::move(test)), secret_(std::move(secret)) {}

TestStep TestTalk::begin() {
  if (!are_credentials_usable(test_.site, secret_)) {
    return failed("log in", "the key or token contains characters that Trello never issues; copy them again from trello.com/power-ups/admin",
                  ReasonClass::credentials);
  }
  return ask(test_.site, secret_, "GET", "/1/members/me?fields=id,username");
}

TestStep TestTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<http::Reply>(answer);
  switch (stage_) {
    case Stage::member: return heard_member(reply);
    case Stage::board: return heard_board(reply);
    case Stage::list: break;
  }
  return heard_list(reply);
}

TestStep TestTalk::heard_member(const http::Reply& reply) {
  if (reply.failure != http::Failure::none) return failed("reach", told(reply), reason_class_of(reply));
  const bool is_rejected = reply.status == 401 || reply.status == 403;
  const auto parsed = JsonView::parse(reply.body);
  const bool is_trello = is_rejected || (reply.status == 200 && parsed && !(*parsed)["username"].text().empty());
  if (!is_trello && reply.status < 500 && reply.status != 429) {
    return failed("reach", fmt::format("what answers at {} ({}) is not Trello; the address is https://api.trello.com", test_.site.base_url, reply.status),
                  ReasonClass::protocol);
  }
  if (!is_trello) return failed("reach", told(reply), reason_class_of(reply));
  checks_.push_back({"reach", true, ""});
  if (is_rejected) {
    return failed("log in", fmt::format("Trello does not accept this key and token ({}: {}); make a new token and enter it", reply.status, words_of(reply)),
                  ReasonClass::credentials);
  }
  checks_.push_back({"log in", true, fmt::format("as {}", worker::as_words((*parsed)["username"].text()))});
  if (!test_.mapping) return worker::Tested{checks_, "Trello can be reached and the token is good"};
  if (!is_object_id(test_.mapping->board_id)) return failed("board", "the mapping names no Trello board (24 hexadecimal digits)");
  if (!is_object_id(test_.mapping->list_id)) return failed("list", "the mapping names no Trello list (24 hexadecimal digits)");
  stage_ = Stage::board;
  return ask(test_.site, secret_, "GET", fmt::format("/1/boards/{}?fields=name,closed", test_.mapping->board_id));
}

TestStep TestTalk::heard_board(const http::Reply& reply) {
  const bool is_missing = reply.failure == http::Failure::none && (reply.status == 404 || reply.status == 401 || reply.status == 400);
  if (is_missing) return failed("board", fmt::format("there is no board {} that this token can see ({})", test_.mapping->board_id, words_of(reply)), ReasonClass::not_found);
  const auto parsed = JsonView::parse(reply.body);
  if (!is_good(reply) || !parsed) return failed("board", told(reply), reason_class_of(reply));
  if ((*parsed)["closed"].is_true()) return failed("board", "the board is closed; reopen it or choose another");
  checks_.push_back({"board", true, worker::as_words((*parsed)["name"].text())});
  stage_ = Stage::list;
  return ask(test_.site, secret_, "GET", fmt::format("/1/lists/{}?fields=name,closed,idBoard", test_.mapping->list_id));
}

TestStep TestTalk::heard_list(const http::Reply& reply) {
  const bool is_missing = reply.failure == http::Failure::none && (reply.status == 404 || reply.status == 401 || reply.status == 400);
  if (is_missing) return failed("list", fmt::format("there is no list {} that this token can see ({})", test_.mapping->list_id, words_of(reply)), ReasonClass::not_found);
  const auto parsed = JsonView::parse(reply.body);
  if (!is_good(reply) || !parsed) return failed("list", told(reply), reason_class_of(reply));
  if ((*parsed)["idBoard"].text() != test_.mapping->board_id) return failed("list", "the list is on another board; correct the mapping");
  if ((*parsed)["closed"].is_true()) return failed("list", "the list is archived; restore it or choose another");
  const std::string name = worker::as_words((*parsed)["name"].text());
  checks_.push_back({"list", true, name});
  return worker::Tested{checks_, fmt::format("cards can be created in the list {}", name)};
}

TestStep TestTalk::failed(std::string name, std::string detail, ReasonClass reason_class) {
  checks_.push_back({std::move(name), false, detail});
  return worker::Tested{std::move(checks_), std::move(detail), reason_class};
}

}  // namespace postroom::trello
