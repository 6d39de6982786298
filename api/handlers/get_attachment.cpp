#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_attachment(const Request& request, const Context& context) {
  auto attachment = context.reading->attachment(request.id);
  if (!attachment) return reading_failed(attachment.error(), request);
  if (!*attachment) return not_found(request.path, "there is no attachment with this id");
  return Download{.sha256 = std::move((*attachment)->sha256),
                  .size = (*attachment)->size,
                  .media_type = std::move((*attachment)->content_type),
                  .file_name = std::move((*attachment)->name)};
}

}  // namespace postroom::api
