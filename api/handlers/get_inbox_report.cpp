#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_inbox_report(const Request& request, const Context& context) {
  const auto report = context.reading->inbox_report(request.id);
  if (!report) return reading_failed(report.error(), request);
  if (!*report) return not_found(request.path, "there is no inbox with this id");
  return data_reply(store::inbox_report_json(**report));
}

}  // namespace postroom::api
