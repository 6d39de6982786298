#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan create_comment(const Request& request, const Context& context) {
  return exchange(request, context,
                  messages::TicketComment{.ticket_id = std::string{request.id},
                                          .comment_id = made_by(request.command_id, "comment"),
                                          .actor = actor_of(request),
                                          .expected_version = request.expected_version,
                                          .is_public = request.body["is_public"].flag().value_or(false),
                                          .text = std::string{request.body["text"].string()}},
                  fmt::format("/v1/tickets/{}/comments", request.id));
}

}  // namespace postroom::api
