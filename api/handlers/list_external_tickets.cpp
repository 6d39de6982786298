#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan list_external_tickets(const Request& request, const Context& context) {
  Parameters parameters{request};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto board = context.reading->board(request.id);
  if (!board) return reading_failed(board.error(), request);
  if (!*board) return not_found(request.path, "there is no board with this id");
  const auto externals = context.reading->external_tickets(request.id, page);
  if (!externals) return reading_failed(externals.error(), request);
  return page_reply(*externals, store::external_ticket_json);
}

}  // namespace postroom::api
