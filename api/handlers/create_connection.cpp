#include "api/handlers/connection_parts.hpp"

namespace postroom::api {

Plan create_connection(const Request& request, const Context& context) {
  const auto kind = messages::value_of<messages::ConnectionKind>(request.body["kind"].string());
  if (!kind) return invalid_body(request, {in_body("/kind", "is not a kind of connection")});
  std::vector<Flaw> flaws;
  messages::ConnectionCreate create{.connection_id = made_by(request.command_id, "connection"),
                                    .actor = actor_of(request),
                                    .name = std::string{request.body["name"].string()},
                                    .kind = *kind,
                                    .base_url = base_url_of(request.body["base_url"], *kind, context.settings, flaws),
                                    .account = std::string{request.body["account"].string()}};
  if (!flaws.empty()) return invalid_body(request, std::move(flaws));
  create.secret_sealed = context.seal(*kind, create.connection_id, request.body["secret"].string());
  return exchange(request, context, create, fmt::format("/v1/connections/{}", create.connection_id));
}

}  // namespace postroom::api
