#include "api/handlers/command_plan.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

Plan assign_standby(const Request& request, const Context& context) {
  messages::StandbyAssign assign{.standby_id = std::string{request.id},
                                 .actor = actor_of(request),
                                 .expected_version = request.expected_version,
                                 .board_id = request.body["board_id"].text(),
                                 .assignee = request.body["assignee"].text(),
                                 .note = request.body["note"].text()};
  if (assign.board_id) assign.board_id = to_lower_ascii(*assign.board_id);
  return exchange(request, context, assign);
}

}  // namespace postroom::api
