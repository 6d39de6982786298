// The promised id leads to the ticket, to its arrival (on the shelf, or a mail that became something else), or to "not yet": the api cannot know whether an unknown id was promised.

#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

namespace {

Reply shown(const store::TicketView& view) { return data_reply(store::ticket_json(view)).with("ETag", entity_tag(view.ticket.version)); }

}  // namespace

Plan get_ticket(const Request& request, const Context& context) {
  auto ticket = context.reading->ticket(request.id);
  if (!ticket) return reading_failed(ticket.error(), request);
  if (*ticket) return shown(**ticket);
  const auto arrival = context.reading->arrival_by_ticket(request.id);
  if (!arrival) return reading_failed(arrival.error(), request);
  if (!*arrival) return not_applied_yet(request.path);
  // A mail that came in, of which nothing is decided yet.
  if ((*arrival)->arrival.state == store::ArrivalState::received) return not_applied_yet(request.path);
  if ((*arrival)->arrival.state != store::ArrivalState::opened) return data_reply(store::shelved_ticket_json(**arrival));
  // It was opened between the two looks: both rows came with one commit.
  ticket = context.reading->ticket(request.id);
  if (!ticket) return reading_failed(ticket.error(), request);
  return *ticket ? shown(**ticket) : not_applied_yet(request.path);
}

}  // namespace postroom::api
