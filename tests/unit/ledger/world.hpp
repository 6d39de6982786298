#pragma once
// A small world for deciders: rows as they stand, a turned clock, counted ids, chance at a fixed half. Decisions are carried out on the rows.

#include <doctest/doctest.h>

#include <algorithm>

#include "common/codec/codec.hpp"
#include "tests/support/fakes.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

constexpr std::int64_t second = 1'000'000;

inline Config test_config() {
  Config config;
  config.installation.id = "11111111-1111-4111-8111-111111111111";
  config.api.public_url = "https://desk.example";
  return config;
}

struct World {
  fakes::CountingIds ids;
  Config config = test_config();
  Context context{1'000'000 * second, 0, ids, [] { return 0.5; }, config};
  State state;
  std::vector<store::HistoryRow> history;
  Decision last;

  World() {
    store::ConnectionRow connection;
    connection.id = "site";
    connection.name = "Site";
    connection.kind = messages::ConnectionKind::jira;
    connection.base_url = "https://site.example";
    connection.version = 1;
    connection.updated_at = context.now - 3600 * second;
    state.connection = connection;
    store::DestinationRow destination;
    destination.id = "site";
    destination.worker = "jira";
    destination.window_size = 8;
    state.destination = destination;
    store::BoardRow board;
    board.id = "board";
    board.name = "Support";
    board.target_kind = messages::TargetKind::jira;
    board.connection_id = "site";
    board.target = R"({"kind":"jira","connection_id":"site","jira":{"project_key":"SUP","issue_type":"Task"}})";
    board.version = 1;
    state.board = board;
    store::TicketRow ticket;
    ticket.id = "ticket";
    ticket.number = 7;
    ticket.board_id = "board";
    ticket.correlation_id = "arrival";
    ticket.title = "It smokes";
    ticket.version = 1;
    state.ticket = ticket;
    store::DeliveryRow delivery;
    delivery.id = "delivery";
    delivery.ticket_id = "ticket";
    delivery.board_id = "board";
    delivery.destination_id = "site";
    delivery.worker = "jira";
    delivery.kind = "create";
    delivery.due_at = context.now;
    delivery.seq = 7;
    delivery.attempt_target = board.target;
    state.delivery = delivery;
  }

  void pass(std::int64_t micros) { context.now += micros; }

  template <class R>
  void put(std::optional<R>& slot, const Change& change) {
    if (const auto* after = std::get_if<R>(&change.after); after != nullptr && change.kind != Change::Kind::remove) slot = *after;
  }

  // As the shell would: the rows become what the decision says.
  const Decision& carry_out(Decision decision) {
    for (const auto& change : decision.changes) {
      put(state.delivery, change);
      put(state.destination, change);
      put(state.connection, change);
      put(state.ticket, change);
      put(state.item, change);
      put(state.mark, change);
      put(state.arrival, change);
      put(state.board, change);
      if (const auto* entry = std::get_if<store::HistoryRow>(&change.after)) history.push_back(*entry);
      if (const auto* external = std::get_if<store::ExternalTicketRow>(&change.after)) state.externals.push_back(*external);
    }
    last = std::move(decision);
    return last;
  }

  messages::Envelope envelope(std::string_view type) {
    messages::Envelope out;
    out.message_id = "00000000-0000-4000-8000-000000000001";
    out.type = type;
    out.correlation_id = "arrival";
    out.user_id = "jira";
    out.reply_to = "reply.jira.1";
    return out;
  }

  template <class M>
  const Decision& receive(const M& message) {
    const auto properties = envelope(M::type);
    const std::string body = codec::encode(message);
    return carry_out(decide(state, message, Incoming{properties, "cmd", "now", "ledger.now", "", body}, context));
  }

  // --- shortcuts of the delivery's way ---
  void dispatch() { carry_out(decide_dispatch(state, context, false)); }
  const Decision& claim(std::string token = "token") {
    return receive(messages::WorkClaim{"delivery", state.delivery->dispatch_no, std::move(token), "jira-1"});
  }
  messages::WorkOutcome outcome_of(messages::Outcome outcome, messages::ReasonClass reason = messages::ReasonClass::none) const {
    messages::WorkOutcome message;
    message.delivery_id = "delivery";
    message.dispatch_no = state.delivery->dispatch_no;
    message.token = "token";
    message.outcome = outcome;
    message.reason_class = reason;
    message.reason = "because";
    return message;
  }
  const Decision& report(messages::Outcome outcome, messages::ReasonClass reason = messages::ReasonClass::none) { return receive(outcome_of(outcome, reason)); }
  const Decision& report_done(std::string remote_id = "10001", std::int64_t mark = 17) {
    auto message = outcome_of(messages::Outcome::done);
    message.remote = messages::Remote{std::move(remote_id), "SUP-" + std::to_string(mark), "https://site.example/browse/SUP", mark};
    return receive(message);
  }
  messages::ClaimAnswered answered() const {
    REQUIRE(last.may_drop.size() == 1);
    auto answer = codec::decode<messages::ClaimAnswered>(last.may_drop.front().body);
    REQUIRE(answer.ok());
    return *answer;
  }
  bool has_noted(std::string_view action) const {
    return std::ranges::any_of(history, [&](const auto& entry) { return entry.action == action; });
  }
};

}  // namespace postroom::ledger
