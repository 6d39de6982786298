#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan list_inboxes(const Request& request, const Context& context) {
  Parameters parameters{request};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto inboxes = context.reading->inboxes(page);
  if (!inboxes) return reading_failed(inboxes.error(), request);
  return page_reply(*inboxes, store::inbox_json);
}

}  // namespace postroom::api
