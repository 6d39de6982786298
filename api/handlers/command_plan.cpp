#include "api/handlers/command_plan.hpp"

namespace postroom::api {

Reply accepted_reply(const Request& request) {
  const std::string status_url = fmt::format("/v1/commands/{}", request.command_id);
  return Reply{.status = 202, .body = fmt::format(R"({{"data":{{"command_id":"{}","status_url":"{}"}}}})", request.command_id, status_url)}
      .with("Location", status_url)
      .with("Retry-After", "1");
}

Reply invalid_body(const Request& request, std::vector<Flaw> flaws) {
  return bad_request("invalid-body", "the body does not fit its schema in /openapi.json", request.path, std::move(flaws));
}

}  // namespace postroom::api
