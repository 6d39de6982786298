// One command over everything on the shelf that matches now; the ledger paces it and keeps its progress as the command's status.

#include "api/handlers/command_plan.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

namespace {

std::optional<std::string> lower_uuid(Json value) {
  auto text = value.text();
  if (text) text = to_lower_ascii(*text);
  return text;
}

}  // namespace

Plan retry_standby_many(const Request& request, const Context& context) {
  const auto action = messages::value_of<messages::BulkAction>(request.body["action"].string()).value_or(messages::BulkAction::retry);
  if (action == messages::BulkAction::remove && !request.principal->may("standby.delete")) return forbidden(request.path, "standby.delete");
  const Json filter = request.body["filter"];
  messages::StandbyRetryMany many{.actor = actor_of(request),
                                  .action = action,
                                  .filter = {.worker = filter["worker"].text(),
                                             .reason_class = filter["reason_class"].text(),
                                             .group_key = filter["group_key"].text(),
                                             .board_id = lower_uuid(filter["board_id"]),
                                             .connection_id = lower_uuid(filter["connection_id"])},
                                  .board_id = lower_uuid(request.body["board_id"])};
  if (filter["kind"]) many.filter.kind = messages::value_of<messages::StandbyKind>(filter["kind"].string());
  return exchange(request, context, many);
}

}  // namespace postroom::api
