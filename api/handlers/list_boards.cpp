#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan list_boards(const Request& request, const Context& context) {
  Parameters parameters{request};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  const auto boards = context.reading->boards(page);
  if (!boards) return reading_failed(boards.error(), request);
  return page_reply(*boards, store::board_json);
}

}  // namespace postroom::api
