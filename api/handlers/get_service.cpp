// What operators and load balancers ask of the process itself.

#include "api/handlers/reading_answers.hpp"
#include "api/openapi.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

Plan get_metrics(const Request&, const Context&) { return Gather::metrics; }

Plan get_health(const Request&, const Context&) { return Gather::health; }

Plan get_readiness(const Request&, const Context& context) {
  std::vector<std::string> reasons = context.link_trouble;
  if (context.reading == nullptr) {
    reasons.emplace_back("the database is not there yet");
  } else if (const auto name = context.reading->installation_name(); !name) {
    reasons.emplace_back("the database cannot be read");
  }
  std::string list;
  for (const auto& reason : reasons) list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", json_escaped(reason));
  Reply reply{.status = reasons.empty() ? 200 : 503,
              .body = fmt::format(R"({{"status":"{}","reasons":[{}]}})", reasons.empty() ? "ready" : "not_ready", list)};
  if (!reasons.empty()) reply.with("Retry-After", "1");
  return reply;
}

Plan get_openapi(const Request&, const Context&) { return Reply{.status = 200, .body = std::string{openapi_document()}}; }

}  // namespace postroom::api
