#include "workers/ledger/decide/open_ticket.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/codec/codec.hpp"
#include "common/mail/address.hpp"

namespace postroom::ledger {

namespace {

void deliver(Decision& decision, const Context&, const store::BoardRow& board, const store::TicketRow& ticket, std::string id) {
  store::DeliveryRow delivery;
  delivery.id = std::move(id);
  delivery.ticket_id = ticket.id;
  delivery.board_id = board.id;
  delivery.cause = "ticket.opened";
  delivery.destination_id = *board.connection_id;
  delivery.worker = messages::name_of(board.target_kind);
  delivery.kind = "create";
  delivery.state = store::DeliveryState::waiting;
  delivery.step = store::DeliveryStep::send;
  delivery.due_at = ticket.created_at;
  delivery.seq = ticket.number;
  delivery.attempt_target = board.target;
  delivery.created_at = ticket.created_at;
  decision.touched.push_back(delivery.destination_id);
  decision.insert(std::move(delivery));
}

}  // namespace

void announce(Decision& decision, const store::TicketRow& ticket, std::string_view change) {
  decision.events.push_back(
      {std::string{messages::TicketChanged::type}, ticket.board_id,
       codec::encode(messages::TicketChanged{ticket.id, ticket.board_id, std::string{change}, ticket.version, ticket.state})});
}

void take_part(Decision& decision, const Context& context, const std::string& ticket_id, std::string_view address) {
  if (address.empty()) return;
  decision.insert_missing(store::ParticipantRow{ticket_id, mail::canonical_address(address), context.now});
}

store::TicketRow open_ticket(Decision& decision, Context& context, const State& state, const store::BoardRow& board, NewTicket fresh) {
  store::TicketRow ticket;
  ticket.id = std::move(fresh.id);
  ticket.number = state.last_ticket_number + 1;
  ticket.board_id = board.id;
  ticket.arrival_id = std::move(fresh.arrival_id);
  ticket.correlation_id = std::move(fresh.correlation_id);
  ticket.title = std::move(fresh.title);
  ticket.description = std::move(fresh.description);
  ticket.creator_email = std::move(fresh.creator_email);
  ticket.creator_name = std::move(fresh.creator_name);
  ticket.priority = std::move(fresh.priority);
  ticket.state = messages::TicketState::fresh;
  ticket.version = 1;
  ticket.created_at = ticket.updated_at = context.now;

  decision.count("ticket_number");
  announce(decision, ticket, "opened");
  std::string told = fmt::format(R"({{"number":{},"board_id":"{}")", ticket.number, json_escaped(board.id));
  if (!fresh.why.empty()) told += fmt::format(R"(,"why":"{}")", json_escaped(fresh.why));
  if (!fresh.notes.empty()) told += fmt::format(R"(,"notes":"{}")", json_escaped(fresh.notes));
  note(decision, context, {ticket.correlation_id, ticket.id, {}, {}}, "ledger", "opened", told + "}");
  decision.insert(ticket);
  take_part(decision, context, ticket.id, ticket.creator_email.value_or(""));
  if (board.target_kind != messages::TargetKind::desk && board.connection_id) deliver(decision, context, board, ticket, context.ids.next());
  return ticket;
}

}  // namespace postroom::ledger
