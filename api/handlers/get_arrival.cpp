#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_arrival(const Request& request, const Context& context) {
  const auto arrival = context.reading->arrival(request.id);
  if (!arrival) return reading_failed(arrival.error(), request);
  if (!*arrival) return not_applied_yet(request.path);
  return data_reply(store::arrival_json(**arrival));
}

}  // namespace postroom::api
