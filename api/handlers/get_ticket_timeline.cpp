#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_ticket_timeline(const Request& request, const Context& context) {
  auto history = context.reading->timeline(request.id);
  if (!history) return reading_failed(history.error(), request);
  if (history->empty()) return not_applied_yet(request.path);
  return page_reply(store::Page<store::HistoryRow>{std::move(*history), std::nullopt}, store::history_json);
}

}  // namespace postroom::api
