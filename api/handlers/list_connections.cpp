#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan list_connections(const Request& request, const Context& context) {
  Parameters parameters{request};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto connections = context.reading->connections(page);
  if (!connections) return reading_failed(connections.error(), request);
  return page_reply(*connections, store::connection_json);
}

}  // namespace postroom::api
