#include <fmt/format.h>

#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/claim_answer.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"

namespace postroom::ledger {

using messages::WorkClaim;
using store::DeliveryState;

namespace {

messages::TicketCard card_of(const State& state, const Context& context) {
  const auto& ticket = *state.ticket;
  messages::TicketCard card;
  card.id = ticket.id;
  card.number = ticket.number;
  card.board_name = state.board ? state.board->name : "";
  card.title = ticket.title;
  card.description = ticket.description;
  card.creator_email = ticket.creator_email;
  card.creator_name = ticket.creator_name;
  card.url = ticket_url(context.config, ticket.id);
  card.created_at = to_rfc3339(from_micros(ticket.created_at));
  return card;
}

messages::Grant grant_of(const State& state, const DeliveryMachine& machine, const Context& context) {
  const auto& connection = *state.connection;
  const auto& row = machine.row();
  messages::Grant grant;
  grant.site = {connection.id, connection.base_url, connection.account, connection.secret_sealed};
  if (is_mail(row)) {
    grant.notice = machine.notice();
  } else {
    grant.target = machine.target();
  }
  grant.ticket = card_of(state, context);
  if (is_mail(row)) grant.ticket.description.clear();  // no mail repeats it, and with a long comment beside it the answer could grow too large
  grant.marker = fmt::format("{}.{}", context.config.installation.id, row.id);
  grant.attempt = row.attempts + 1;
  grant.probe_base = row.probe_base;
  if (row.step == store::DeliveryStep::resolve) grant.sent_at_us = row.sent_at;
  return grant;
}

}  // namespace

Needs needs(const WorkClaim& message, const Incoming&) {
  Needs needs;
  needs.delivery_id = message.delivery_id;
  return needs;
}

Decision decide(const State& state, const WorkClaim& message, const Incoming& in, Context& context) {
  const auto drop = [&](Decision decision, std::string_view why) {
    answer_claim(decision, in, context, {message.delivery_id, message.dispatch_no, message.token, messages::ClaimVerdict::drop, std::string{WorkClaim::type}, std::string{why}, {}});
    return decision;
  };
  const auto send = [&](DeliveryMachine& machine) {
    answer_claim(machine.decision(), in, context,
                 {message.delivery_id, message.dispatch_no, message.token, messages::ClaimVerdict::send, std::string{WorkClaim::type}, "", grant_of(state, machine, context)});
    return machine.finish();
  };

  if (!state.delivery || !state.ticket) return drop({}, "unknown delivery");
  const auto& row = *state.delivery;
  if (message.dispatch_no != row.dispatch_no && !saboteur("dispatch_no_unchecked")) return drop({}, "a newer dispatch took its place");
  if (!state.connection || !state.destination) return drop({}, "its connection is gone");

  DeliveryMachine machine{state, context};
  if (row.state == DeliveryState::claimed) {
    if (row.token != message.token && !saboteur("second_token_granted")) return drop({}, "claimed by another");
    machine.claim_again();
    return send(machine);
  }
  if (row.state != DeliveryState::dispatched) return drop({}, "no longer wanted");

  // Between dispatch and claim the way may have been closed; the delivery waits in the ledger then, not with the worker.
  if (state.connection->is_paused || state.destination->circuit == store::Circuit::open) {
    machine.wait_until(context.now, row.reason_class, row.reason, "held_back");
    return drop(machine.finish(), state.connection->is_paused ? "the connection is paused" : "the circuit is open");
  }
  machine.claim(message.token, message.worker);
  if (is_mail(row) && !machine.notice()) {
    machine.refuse(messages::ReasonClass::invalid_data, "what it should say cannot be read");
    return drop(machine.finish(), "its notice cannot be read");
  }
  return send(machine);
}

}  // namespace postroom::ledger
