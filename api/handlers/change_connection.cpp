// Reads the connection first: a new secret is sealed for the workers of its kind.

#include "api/handlers/connection_parts.hpp"
#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan change_connection(const Request& request, const Context& context) {
  const auto connection = context.reading->connection(request.id);
  if (!connection) return reading_failed(connection.error(), request);
  if (!*connection) return not_found(request.path, "there is no connection with this id");
  const Json& body = request.body;
  std::vector<Flaw> flaws;
  messages::ConnectionUpdate update{.connection_id = std::string{request.id},
                                    .actor = actor_of(request),
                                    .expected_version = request.expected_version,
                                    .name = body["name"].text(),
                                    .account = body["account"].text(),
                                    .is_paused = body["is_paused"].flag()};
  if (body["base_url"]) update.base_url = base_url_of(body["base_url"], (*connection)->kind, context.settings, flaws);
  if (!flaws.empty()) return invalid_body(request, std::move(flaws));
  if (body["secret"]) update.secret_sealed = context.seal((*connection)->kind, update.connection_id, body["secret"].string());
  return exchange(request, context, update);
}

}  // namespace postroom::api
