#pragma once
// Far sides' answers and grants, made up for tables of conversations.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/http/exchange.hpp"
#include "common/messages/work.hpp"
#include "workers/runtime/step.hpp"

namespace postroom::fakes {

inline http::Reply replied(int status, std::string body = "{}", std::vector<http::Header> headers = {}) {
  http::Reply reply;
  reply.status = status;
  reply.was_sent = true;
  reply.body = std::move(body);
  reply.headers = std::move(headers);
  reply.received_at = from_micros(1'795'168'800'000'000);  // 2026-11-20T10:00:00Z
  return reply;
}

inline http::Reply failed(http::Failure failure, bool was_sent, int status = 0) {
  http::Reply reply;
  reply.failure = failure;
  reply.was_sent = was_sent;
  reply.status = status;
  reply.detail = "detail";
  return reply;
}

constexpr const char* installation = "0190aaaa-0000-7000-8000-00000000000a";
constexpr const char* delivery = "0190bbbb-0000-7000-8000-00000000000b";

inline messages::TicketCard ticket() {
  messages::TicketCard card;
  card.id = "0190cccc-0000-7000-8000-00000000000c";
  card.number = 42;
  card.board_name = "Support";
  card.title = "Printer on fire";
  card.description = "It burns.\n\nPlease help.";
  card.creator_email = "ada@example.org";
  card.creator_name = "Ada";
  card.url = "https://desk.example.org/v1/tickets/0190cccc-0000-7000-8000-00000000000c";
  return card;
}

inline messages::Grant grant_for(messages::TargetKind kind) {
  messages::Grant grant;
  grant.site = {"connection", "https://site.example", "me@example.org", "sealed"};
  grant.target.kind = kind;
  if (kind == messages::TargetKind::jira) grant.target.jira = messages::JiraMapping{"SUP", "Task", {}, {}};
  if (kind == messages::TargetKind::trello) grant.target.trello = messages::TrelloMapping{"5f0000000000000000000b01", "5f0000000000000000000c01"};
  grant.ticket = ticket();
  grant.marker = std::string{installation} + "." + delivery;
  grant.attempt = 1;
  return grant;
}

template <class Verdict, class AnyStep>
Verdict verdict(const AnyStep& step) {
  REQUIRE_MESSAGE(std::holds_alternative<Verdict>(step), "another verdict: " << step.index());
  return std::get<Verdict>(step);
}

template <class AnyStep>
worker::HttpAsk http_ask(const AnyStep& step) {
  REQUIRE_MESSAGE(std::holds_alternative<worker::Ask>(step), "no ask but verdict " << step.index());
  REQUIRE(std::holds_alternative<worker::HttpAsk>(std::get<worker::Ask>(step)));
  return std::get<worker::HttpAsk>(std::get<worker::Ask>(step));
}

// What a verdict is called and why, of any of them.
inline std::pair<messages::Outcome, messages::ReasonClass> shape(const worker::Step& step) {
  using messages::Outcome;
  using messages::ReasonClass;
  if (const auto* one = std::get_if<worker::Defer>(&step)) return {Outcome::defer, one->reason_class};
  if (const auto* one = std::get_if<worker::Snooze>(&step)) return {Outcome::snooze, one->reason_class};
  if (const auto* one = std::get_if<worker::Refuse>(&step)) return {Outcome::refuse, one->reason_class};
  if (const auto* one = std::get_if<worker::NotSent>(&step)) return {Outcome::not_sent, one->reason_class};
  if (const auto* one = std::get_if<worker::Unknown>(&step)) return {Outcome::unknown, one->reason_class};
  REQUIRE(std::holds_alternative<worker::Done>(step));
  return {Outcome::done, ReasonClass::none};
}

}  // namespace postroom::fakes
