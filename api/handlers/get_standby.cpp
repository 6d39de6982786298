#include "api/handlers/reading_answers.hpp"
#include "api/handlers/standby_face.hpp"

namespace postroom::api {

Plan get_standby(const Request& request, const Context& context) {
  const auto item = context.reading->standby_item(request.id);
  if (!item) return reading_failed(item.error(), request);
  if (!*item) return not_found(request.path, "there is no standby item with this id");
  const auto face = standby_face((*item)->item, *context.reading);
  if (!face) return reading_failed(face.error(), request);
  return data_reply(store::standby_json(**item, *face)).with("ETag", entity_tag((*item)->item.version));
}

}  // namespace postroom::api
