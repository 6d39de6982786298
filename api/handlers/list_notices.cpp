#include "api/handlers/of_ticket.hpp"

namespace postroom::api {

Plan list_notices(const Request& request, const Context& context) {
  return list_of_ticket(
      request, context, [&](store::Reading& reading, const store::PageRequest& page) { return reading.notices(request.id, page); }, store::notice_json);
}

}  // namespace postroom::api
