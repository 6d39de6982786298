#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_board(const Request& request, const Context& context) {
  const auto board = context.reading->board(request.id);
  if (!board) return reading_failed(board.error(), request);
  if (!*board) return not_found(request.path, "there is no board with this id");
  return data_reply(store::board_json(**board)).with("ETag", entity_tag((*board)->version));
}

}  // namespace postroom::api
