#include "api/handlers/command_plan.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

Plan test_connection(const Request& request, const Context& context) {
  messages::ConnectionTest test{.connection_id = std::string{request.id}, .actor = actor_of(request), .folder = request.body["folder"].text()};
  if (const auto board = request.body["board_id"].text()) test.board_id = to_lower_ascii(*board);
  return exchange(request, context, test);
}

}  // namespace postroom::api
