#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan poll_inbox(const Request& request, const Context& context) {
  return exchange(request, context, messages::InboxPoll{.inbox_id = std::string{request.id}, .actor = actor_of(request)});
}

}  // namespace postroom::api
