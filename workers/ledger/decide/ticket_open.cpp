#include <fmt/format.h>

#include "common/mail/address.hpp"
#include "workers/ledger/decide/arrival_desk.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/notices.hpp"
#include "workers/ledger/decide/open_ticket.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::TicketOpen;
using store::ArrivalState;

namespace {

std::string asked_board(const TicketOpen& message, const Incoming& in) {
  return in.envelope.assigned_board.empty() ? message.board_id : in.envelope.assigned_board;
}

std::string result_json(std::string_view ticket_id, std::string_view state) {
  return fmt::format(R"({{"data":{{"ticket_id":"{}","state":"{}"}}}})", ticket_id, state);
}

store::ArrivalRow arrival_of(const TicketOpen& message, const Incoming& in, const Context& context) {
  store::ArrivalRow row;
  row.id = row.natural_key = in.envelope.message_id;
  row.kind = messages::name_of(message.arrival);
  row.correlation_id = correlation_of(in);
  row.ticket_id = message.ticket_id;
  row.actor = message.actor;
  row.accepted_at = accepted_at(in, context);
  return row;
}

struct Opening {
  const State& state;
  const TicketOpen& message;
  const Incoming& in;
  Context& context;
  Decision decision{};
  ArrivalDesk desk{state, context, decision, arrival_of(message, in, context)};

  void accept() {
    if (desk.is_new()) {
      desk.note(message.actor, "accepted", detail({{"accepted_at", to_rfc3339(from_micros(desk.row().accepted_at))}, {"kind", desk.row().kind}}));
    }
    desk.row().board_id = asked_board(message, in);
  }

  void shelve(std::string_view reason_class, std::string_view reason) {
    accept();
    desk.shelve(item_of(in, messages::StandbyKind::arrival, reason_class, reason, context), reason_class, reason);
    decision.reply(200, result_json(message.ticket_id, "standby"));
  }

  void open(const store::BoardRow& board) {
    accept();
    NewTicket fresh;
    fresh.id = message.ticket_id;
    fresh.arrival_id = in.envelope.message_id;
    fresh.correlation_id = correlation_of(in);
    fresh.title = message.title;
    fresh.description = message.description;
    fresh.creator_email = message.creator_email;
    fresh.creator_name = message.creator_name;
    fresh.priority = message.priority.value_or("normal");
    const auto ticket = open_ticket(decision, context, state, board, std::move(fresh));
    desk.end_as(ArrivalState::opened);
    notify_opened(decision, context, state, ticket);
    decision.reply(200, result_json(message.ticket_id, "opened"));
  }
};

}  // namespace

Needs needs(const TicketOpen& message, const Incoming& in) {
  Needs needs;
  needs.board_id = asked_board(message, in);
  needs.arrival_id = in.envelope.message_id;
  needs.ticket_number = true;
  if (in.envelope.retry > 0) needs.subject_id = in.envelope.message_id;
  needs.notice = true;
  if (message.creator_email) needs.notice_recipient = mail::canonical_address(*message.creator_email);
  return needs;
}

Decision decide(const State& state, const TicketOpen& message, const Incoming& in, Context& context) {
  Opening opening{state, message, in, context};
  if (state.arrival && state.arrival->state != ArrivalState::standby) {
    // A replay of something that was meanwhile opened or deleted: nothing more to do.
    opening.desk.settle_item();
    opening.decision.reply(200, result_json(state.arrival->ticket_id, messages::name_of(state.arrival->state)));
  } else if (!state.board) {
    opening.shelve("board_unknown", "There is no such board: assign the item to one.");
  } else if (state.board->state == messages::BoardState::archived) {
    opening.shelve("board_archived", fmt::format("The board {} is archived: assign the item to another, or bring the board back.", state.board->name));
  } else {
    opening.open(*state.board);
  }
  return std::move(opening.decision);
}

}  // namespace postroom::ledger
