#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_connection(const Request& request, const Context& context) {
  const auto connection = context.reading->connection(request.id);
  if (!connection) return reading_failed(connection.error(), request);
  if (!*connection) return not_found(request.path, "there is no connection with this id");
  return data_reply(store::connection_json(**connection)).with("ETag", entity_tag((*connection)->version));
}

}  // namespace postroom::api
