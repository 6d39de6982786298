// The promised id leads to the ticket, to its arrival on the shelf, or to "not yet": the api cannot know whether an unknown id was promised.

#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_ticket(const Request& request, const Context& context) {
  const auto ticket = context.reading->ticket(request.id);
  if (!ticket) return reading_failed(ticket.error(), request);
  if (*ticket) return data_reply(store::ticket_json(**ticket)).with("ETag", entity_tag((*ticket)->ticket.version));
  const auto arrival = context.reading->arrival_by_ticket(request.id);
  if (!arrival) return reading_failed(arrival.error(), request);
  if (*arrival) return data_reply(store::shelved_ticket_json(**arrival));
  return not_applied_yet(request.path);
}

}  // namespace postroom::api
