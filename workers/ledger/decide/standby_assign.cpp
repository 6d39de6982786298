#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/standby_item.hpp"

namespace postroom::ledger {

using messages::StandbyAssign;
using messages::StandbyState;

Needs needs(const StandbyAssign& message, const Incoming&) {
  Needs needs;
  needs.standby_id = message.standby_id;
  needs.board_id = message.board_id;
  return needs;
}

Decision decide(const State& state, const StandbyAssign& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (auto obstacle = item_obstacle(state, message.standby_id, message.expected_version, !message.board_id, command_id)) return std::move(*obstacle);
  if (message.board_id && !state.board) return refused({422, "invalid", "Not acceptable", "There is no such board.", "/board_id"}, command_id);
  if (message.board_id && state.board->state == messages::BoardState::archived) {
    return refused({422, "invalid", "Not acceptable", "This board is archived.", "/board_id"}, command_id);
  }
  Decision decision;
  store::StandbyRow item = *state.item;
  if (message.assignee) item.assignee = message.assignee->empty() ? std::nullopt : message.assignee;
  if (message.note) item.note = message.note->empty() ? std::nullopt : message.note;
  if (message.board_id) {
    item.board_id = message.board_id;
    // A delivery's ticket moves, unless it is a mail, which has no board; an arrival finds the board at its next retry.
    const bool is_of_board = item.kind == messages::StandbyKind::delivery && !(state.delivery && is_mail(*state.delivery));
    if (is_of_board && state.ticket && state.ticket->board_id != *message.board_id) {
      store::TicketRow ticket = *state.ticket;
      ticket.board_id = *message.board_id;
      ticket.updated_at = context.now;
      ++ticket.version;
      decision.update(*state.ticket, std::move(ticket));
    }
  }
  if (item.state != StandbyState::retry_pending) item.state = item.assignee || message.board_id ? StandbyState::assigned : StandbyState::open;
  ++item.version;
  note(decision, context, about_item(item), message.actor, "assigned",
       detail({{"board_id", message.board_id.value_or("")}, {"assignee", message.assignee.value_or("")}, {"note", message.note.value_or("")}}));
  announce(decision, item);
  decision.reply(200, item_answer(item));
  decision.update(*state.item, std::move(item));
  return decision;
}

}  // namespace postroom::ledger
