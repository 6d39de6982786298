#include <fmt/format.h>

#include <algorithm>

#include "common/store/views.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/notices.hpp"
#include "workers/ledger/decide/open_ticket.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::TicketChangeState;
using messages::TicketState;

namespace {

// From each state to these, and to no other.
struct Transition {
  TicketState from;
  std::array<TicketState, 5> to;  // padded with `from`, which is never legal
};
constexpr auto fresh = TicketState::fresh, assigned = TicketState::assigned, in_progress = TicketState::in_progress, on_hold = TicketState::on_hold,
               resolved = TicketState::resolved, closed = TicketState::closed, reopened = TicketState::reopened;
constexpr std::array transitions{
    Transition{fresh, {assigned, in_progress, on_hold, resolved, closed}},
    Transition{assigned, {in_progress, on_hold, resolved, closed, assigned}},
    Transition{in_progress, {assigned, on_hold, resolved, closed, in_progress}},
    Transition{on_hold, {assigned, in_progress, resolved, closed, on_hold}},
    Transition{resolved, {closed, reopened, resolved, resolved, resolved}},
    Transition{closed, {reopened, closed, closed, closed, closed}},
    Transition{reopened, {assigned, in_progress, on_hold, resolved, closed}},
};

bool is_legal(TicketState from, TicketState to) {
  const auto& row = *std::ranges::find(transitions, from, &Transition::from);
  return to != from && std::ranges::find(row.to, to) != row.to.end();
}

std::string legal_names(TicketState from) {
  std::string names;
  for (const auto to : std::ranges::find(transitions, from, &Transition::from)->to) {
    if (to != from) names += fmt::format("{}{}", names.empty() ? "" : ", ", messages::name_of(to));
  }
  return names;
}

}  // namespace

Needs needs(const TicketChangeState& message, const Incoming&) {
  Needs needs;
  needs.ticket_id = message.ticket_id;
  needs.notice = true;
  return needs;
}

Decision decide(const State& state, const TicketChangeState& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.ticket) return not_found("ticket", message.ticket_id, command_id);
  const auto& before = *state.ticket;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (!is_legal(before.state, message.state)) {
    return refused({409, "illegal-transition", "Not from this state",
                    fmt::format("A ticket that is {} can become: {}.", messages::name_of(before.state), legal_names(before.state)), "/state"},
                   command_id);
  }
  Decision decision;
  store::TicketRow ticket = before;
  ticket.state = message.state;
  ticket.updated_at = context.now;
  ++ticket.version;
  note(decision, context, {ticket.correlation_id, ticket.id, {}, {}}, message.actor, "state",
       detail({{"from", std::string{messages::name_of(before.state)}}, {"to", std::string{messages::name_of(ticket.state)}}, {"note", message.note.value_or("")}}));
  announce(decision, ticket, "state");
  notify_state(decision, context, state, ticket, {});  // the note is for the history, not for the customer
  std::optional<store::ExternalTicketRow> external;
  for (const auto& one : state.externals) {
    if (one.state == store::ExternalState::linked) external = one;
  }
  decision.reply(200, store::data_json(store::ticket_json({ticket, state.delivery, external})));
  decision.update(before, std::move(ticket));
  return decision;
}

}  // namespace postroom::ledger
