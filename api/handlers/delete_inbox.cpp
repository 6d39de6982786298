#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan delete_inbox(const Request& request, const Context& context) {
  return exchange(request, context,
                  messages::InboxDelete{
                      .inbox_id = std::string{request.id}, .actor = actor_of(request), .expected_version = request.expected_version});
}

}  // namespace postroom::api
