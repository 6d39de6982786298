#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan delete_standby(const Request& request, const Context& context) {
  return exchange(request, context,
                  messages::StandbyDelete{.standby_id = std::string{request.id},
                                          .actor = actor_of(request),
                                          .expected_version = request.expected_version,
                                          .reason = request.body["reason"].text()});
}

}  // namespace postroom::api
