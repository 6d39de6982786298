#include "api/handlers/of_ticket.hpp"

namespace postroom::api {

Plan list_attachments(const Request& request, const Context& context) {
  return list_of_ticket(
      request, context, [&](store::Reading& reading, const store::PageRequest& page) { return reading.attachments(request.id, page); }, store::attachment_json);
}

}  // namespace postroom::api
