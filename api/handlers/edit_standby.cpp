#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Plan edit_standby(const Request& request, const Context& context) {
  return exchange(request, context,
                  messages::StandbyEdit{.standby_id = std::string{request.id},
                                        .actor = actor_of(request),
                                        .expected_version = request.expected_version,
                                        .new_id = made_by(request.command_id, "copy"),
                                        .body = {request.body["body"].dump()}});
}

}  // namespace postroom::api
