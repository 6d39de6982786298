#include <algorithm>
#include <array>

#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

namespace {

constexpr std::array<std::string_view, 9> verdicts{"pending", "ticket", "reply", "duplicate", "bounce", "own", "standby", "unparsable", "deleted"};

}  // namespace

Plan list_arrivals(const Request& request, const Context& context) {
  Parameters parameters{request};
  store::ArrivalFilter filter{.inbox_id = parameters.uuid("inbox"), .verdict = parameters.one_of("verdict", verdicts)};
  const auto page = parameters.page();
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  if (filter.verdict == "pending") filter.verdict = "";
  if (filter.inbox_id) {
    const auto inbox = context.reading->inbox(*filter.inbox_id);
    if (!inbox) return reading_failed(inbox.error(), request);
    if (!*inbox) return bad_request("invalid-parameters", "a query parameter is wrong", request.path, {in_query("inbox", "there is no inbox with this id")});
  }
  const auto arrivals = context.reading->mail_arrivals(filter, page);
  if (!arrivals) return reading_failed(arrivals.error(), request);
  return page_reply(*arrivals, store::arrival_json);
}

}  // namespace postroom::api
