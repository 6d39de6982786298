#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_trace(const Request& request, const Context& context) {
  const auto trace = context.reading->trace(request.id);
  if (!trace) return reading_failed(trace.error(), request);
  if (!*trace) return not_applied_yet(request.path);
  return data_reply(store::trace_json(**trace));
}

}  // namespace postroom::api
