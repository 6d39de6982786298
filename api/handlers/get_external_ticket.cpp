#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_external_ticket(const Request& request, const Context& context) {
  const auto external = context.reading->external_ticket(request.id);
  if (!external) return reading_failed(external.error(), request);
  if (!*external) return not_found(request.path, "there is no external ticket with this id");
  return data_reply(store::external_ticket_json(**external));
}

}  // namespace postroom::api
