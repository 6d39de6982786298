#include "api/handlers/inbox_parts.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

Plan change_settings(const Request& request, const Context& context) {
  const Json& body = request.body;
  messages::SettingsUpdate update{.actor = actor_of(request),
                                  .expected_version = request.expected_version,
                                  .default_board_id = reference_of(body["default_board_id"]),
                                  .smtp_connection_id = reference_of(body["smtp_connection_id"]),
                                  .sender_address = reference_of(body["sender_address"]),
                                  .is_confirming = body["is_confirming"].flag(),
                                  .is_telling_states = body["is_telling_states"].flag()};
  if (body["sender_name"]) update.sender_name = std::string{body["sender_name"].string()};
  return exchange(request, context, update);
}

}  // namespace postroom::api
