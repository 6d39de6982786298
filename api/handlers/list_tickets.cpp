#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan list_tickets(const Request& request, const Context& context) {
  Parameters parameters{request};
  const store::TicketFilter filter{.board_id = parameters.uuid("board"), .state = parameters.named<messages::TicketState>("state")};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto tickets = context.reading->tickets(filter, page);
  if (!tickets) return reading_failed(tickets.error(), request);
  return page_reply(*tickets, store::ticket_json);
}

}  // namespace postroom::api
