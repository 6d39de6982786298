#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan delete_connection(const Request& request, const Context& context) {
  return exchange(request, context,
                  messages::ConnectionDelete{.connection_id = std::string{request.id},
                                             .actor = actor_of(request),
                                             .expected_version = request.expected_version});
}

}  // namespace postroom::api
