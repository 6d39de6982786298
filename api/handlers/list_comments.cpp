#include "api/handlers/of_ticket.hpp"

namespace postroom::api {

Plan list_comments(const Request& request, const Context& context) {
  return list_of_ticket(
      request, context, [&](store::Reading& reading, const store::PageRequest& page) { return reading.comments(request.id, page); }, store::comment_json);
}

}  // namespace postroom::api
