#include "api/handlers/target_of.hpp"

namespace postroom::api {

Plan change_board(const Request& request, const Context& context) {
  const Json& body = request.body;
  std::vector<Flaw> flaws;
  messages::BoardUpdate update{.board_id = std::string{request.id},
                               .actor = actor_of(request),
                               .expected_version = request.expected_version,
                               .name = body["name"].text(),
                               .is_public = body["is_public"].flag()};
  if (body["keywords"]) update.keywords = keywords_of(body["keywords"]);
  if (body["target"]) update.target = target_of(body["target"], flaws);
  if (body["state"]) update.state = messages::value_of<messages::BoardState>(body["state"].string());
  if (!flaws.empty()) return invalid_body(request, std::move(flaws));
  return exchange(request, context, update);
}

}  // namespace postroom::api
