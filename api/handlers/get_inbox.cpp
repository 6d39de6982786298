#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_inbox(const Request& request, const Context& context) {
  const auto inbox = context.reading->inbox(request.id);
  if (!inbox) return reading_failed(inbox.error(), request);
  if (!*inbox) return not_found(request.path, "there is no inbox with this id");
  return data_reply(store::inbox_json(**inbox)).with("ETag", entity_tag((*inbox)->version));
}

}  // namespace postroom::api
