#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan change_ticket(const Request& request, const Context& context) {
  const auto state = messages::value_of<messages::TicketState>(request.body["state"].string());
  if (!state) return invalid_body(request, {in_body("/state", "is not a ticket's state")});
  return exchange(request, context,
                  messages::TicketChangeState{.ticket_id = std::string{request.id},
                                              .actor = actor_of(request),
                                              .expected_version = request.expected_version,
                                              .state = *state,
                                              .note = request.body["note"].text()});
}

}  // namespace postroom::api
