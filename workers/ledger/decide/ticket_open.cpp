#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/notices.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::StandbyState;
using messages::TicketOpen;
using store::ArrivalState;

namespace {

std::string asked_board(const TicketOpen& message, const Incoming& in) {
  return in.envelope.assigned_board.empty() ? message.board_id : in.envelope.assigned_board;
}

std::string result_json(std::string_view ticket_id, std::string_view state) {
  return fmt::format(R"({{"data":{{"ticket_id":"{}","state":"{}"}}}})", ticket_id, state);
}

struct Opening {
  const State& state;
  const TicketOpen& message;
  const Incoming& in;
  Context& context;
  Decision decision;

  const std::string& id() const { return in.envelope.message_id; }
  std::string correlation_id() const { return in.envelope.correlation_id.empty() ? id() : in.envelope.correlation_id; }
  About about(std::optional<std::string> delivery_id = {}, std::optional<std::string> standby_id = {}) const {
    return {correlation_id(), message.ticket_id, std::move(delivery_id), std::move(standby_id)};
  }

  // The item of an earlier try, whether the arrival knows it or only the replay.
  const std::optional<store::StandbyRow>& earlier_item() const { return state.pending_item ? state.pending_item : state.item; }

  void write_arrival(ArrivalState arrival_state, std::optional<std::string> standby_id) {
    store::ArrivalRow row;
    if (state.arrival) {
      row = *state.arrival;
    } else {
      row.id = row.natural_key = id();
      row.kind = messages::name_of(message.arrival);
      row.correlation_id = correlation_id();
      row.ticket_id = message.ticket_id;
      row.actor = message.actor;
      row.accepted_at = to_micros(in.envelope.timestamp) > 0 ? to_micros(in.envelope.timestamp) : context.now;
      decision.count("arrivals_accepted");
      note(decision, context, about(), message.actor, "accepted",
           detail({{"accepted_at", to_rfc3339(from_micros(row.accepted_at))}, {"kind", row.kind}}));
    }
    row.board_id = asked_board(message, in);
    row.state = arrival_state;
    row.standby_id = std::move(standby_id);
    row.decided_at = context.now;
    if (state.arrival) {
      decision.update(*state.arrival, std::move(row));
    } else {
      decision.insert(std::move(row));
    }
  }

  void settle_earlier_item() {
    const auto& earlier = earlier_item();
    if (!earlier || !is_unfinished(earlier->state)) return;
    store::StandbyRow item = *earlier;
    item.state = StandbyState::resolved;
    item.due_at = 0;
    ++item.version;
    announce(decision, item);
    note(decision, context, about({}, item.id), "ledger", "resolved");
    decision.update(*earlier, std::move(item));
  }

  void shelve(std::string_view reason_class, std::string_view reason) {
    std::string item_id;
    if (const auto& earlier = earlier_item(); earlier && is_unfinished(earlier->state)) {
      store::StandbyRow item = *earlier;
      item.kind = messages::StandbyKind::arrival;
      item.ticket_id = message.ticket_id;
      item.board_id = asked_board(message, in);
      reopen(item, reason_class, reason, context);
      item_id = item.id;
      announce(decision, item);
      decision.update(*earlier, std::move(item));
    } else {
      store::StandbyRow item = item_of(in, messages::StandbyKind::arrival, reason_class, reason, context);
      item.ticket_id = message.ticket_id;
      item.board_id = asked_board(message, in);
      item_id = item.id;
      announce(decision, item);
      decision.insert(std::move(item));
    }
    if (!state.arrival) decision.count("arrivals_standby");
    write_arrival(ArrivalState::standby, item_id);
    note(decision, context, about({}, item_id), "ledger", "shelved",
         detail({{"reason_class", std::string{reason_class}}, {"reason", std::string{reason}}}));
    decision.notices.push_back({false, fmt::format("arrival {} shelved: {}", id(), reason), correlation_id(), std::string{reason_class}});
    decision.reply(200, result_json(message.ticket_id, "standby"));
  }

  void open(const store::BoardRow& board) {
    store::TicketRow ticket;
    ticket.id = message.ticket_id;
    ticket.number = state.last_ticket_number + 1;
    ticket.board_id = board.id;
    ticket.arrival_id = id();
    ticket.correlation_id = correlation_id();
    ticket.title = message.title;
    ticket.description = message.description;
    ticket.creator_email = message.creator_email;
    ticket.creator_name = message.creator_name;
    ticket.priority = message.priority.value_or("normal");
    ticket.state = messages::TicketState::fresh;
    ticket.version = 1;
    ticket.created_at = ticket.updated_at = context.now;

    decision.count("ticket_number");
    decision.count("arrivals_opened");
    if (state.arrival) decision.count("arrivals_standby", -1);
    write_arrival(ArrivalState::opened, state.arrival ? state.arrival->standby_id : std::nullopt);
    decision.events.push_back({std::string{messages::TicketChanged::type}, board.id,
                               codec::encode(messages::TicketChanged{ticket.id, board.id, "opened", ticket.version, ticket.state})});
    note(decision, context, about(), "ledger", "opened", fmt::format(R"({{"number":{},"board_id":"{}"}})", ticket.number, board.id));
    const std::int64_t number = ticket.number;
    notify_opened(decision, context, state, ticket);
    decision.insert(std::move(ticket));
    if (board.target_kind != messages::TargetKind::desk && board.connection_id) deliver(board, number);
    settle_earlier_item();
    decision.reply(200, result_json(message.ticket_id, "opened"));
  }

  void deliver(const store::BoardRow& board, std::int64_t number) {
    store::DeliveryRow delivery;
    delivery.id = context.ids.next();
    delivery.ticket_id = message.ticket_id;
    delivery.board_id = board.id;
    delivery.cause = "ticket.opened";
    delivery.destination_id = *board.connection_id;
    delivery.worker = messages::name_of(board.target_kind);
    delivery.kind = "create";
    delivery.state = store::DeliveryState::waiting;
    delivery.step = store::DeliveryStep::send;
    delivery.due_at = context.now;
    delivery.seq = number;
    delivery.attempt_target = board.target;
    delivery.created_at = context.now;
    decision.touched.push_back(delivery.destination_id);
    decision.insert(std::move(delivery));
  }
};

}  // namespace

Needs needs(const TicketOpen& message, const Incoming& in) {
  Needs needs;
  needs.board_id = asked_board(message, in);
  needs.arrival_id = in.envelope.message_id;
  needs.ticket_number = true;
  needs.notice = true;
  needs.notice_recipient = message.creator_email;
  if (in.envelope.retry > 0) needs.subject_id = in.envelope.message_id;
  return needs;
}

Decision decide(const State& state, const TicketOpen& message, const Incoming& in, Context& context) {
  Opening opening{state, message, in, context, {}};
  if (state.arrival && state.arrival->state != ArrivalState::standby) {
    // A replay of something that was meanwhile opened or deleted: nothing more to do.
    opening.settle_earlier_item();
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
