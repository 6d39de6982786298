#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_settings(const Request& request, const Context& context) {
  const auto settings = context.reading->settings();
  if (!settings) return reading_failed(settings.error(), request);
  return data_reply(store::settings_json(*settings)).with("ETag", entity_tag(settings->version));
}

}  // namespace postroom::api
