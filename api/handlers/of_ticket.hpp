#pragma once
// Lists that hang on a ticket.

#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

// `list`: Reading → Result<Page<T>>. An empty first page of a ticket that is not there answers "not there, or not there yet".
template <class List, class ToJson>
Plan list_of_ticket(const Request& request, const Context& context, List&& list, ToJson&& to_json) {
  Parameters parameters{request};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto items = list(*context.reading, page);
  if (!items) return reading_failed(items.error(), request);
  if (items->items.empty() && page.cursor.empty()) {
    const auto ticket = context.reading->ticket(request.id);
    if (!ticket) return reading_failed(ticket.error(), request);
    if (!*ticket) return not_applied_yet(request.path);
  }
  return page_reply(*items, to_json);
}

}  // namespace postroom::api
