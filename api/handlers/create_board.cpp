#include "api/handlers/target_of.hpp"

namespace postroom::api {

Plan create_board(const Request& request, const Context& context) {
  std::vector<Flaw> flaws;
  messages::BoardCreate create{.board_id = made_by(request.command_id, "board"),
                               .actor = actor_of(request),
                               .name = std::string{request.body["name"].string()},
                               .is_public = request.body["is_public"].flag().value_or(false),
                               .keywords = keywords_of(request.body["keywords"]),
                               .target = request.body["target"] ? target_of(request.body["target"], flaws) : messages::Target{}};
  if (!flaws.empty()) return invalid_body(request, std::move(flaws));
  return exchange(request, context, create, fmt::format("/v1/boards/{}", create.board_id));
}

}  // namespace postroom::api
