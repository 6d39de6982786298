#include "api/handlers/reading_answers.hpp"
#include "api/handlers/standby_face.hpp"

namespace postroom::api {

Plan list_standby(const Request& request, const Context& context) {
  Parameters parameters{request};
  const store::StandbyQuery query{.states = parameters.named_list("state", store::StandbyQuery{}.states),
                                  .filter = {.kind = parameters.named<messages::StandbyKind>("kind"),
                                             .worker = parameters.text("worker"),
                                             .reason_class = parameters.text("reason_class"),
                                             .group_key = parameters.text("group"),
                                             .board_id = parameters.uuid("board"),
                                             .connection_id = parameters.uuid("connection")}};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto items = context.reading->standby(query, page);
  if (!items) return reading_failed(items.error(), request);
  store::Page<std::string> shown{{}, items->next};
  for (const auto& item : items->items) {
    const auto face = standby_face(item, *context.reading);
    if (!face) return reading_failed(face.error(), request);
    shown.items.push_back(store::standby_json(item, *face));
  }
  return page_reply(shown, [](const std::string& json) { return json; });
}

}  // namespace postroom::api
