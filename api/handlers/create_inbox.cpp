#include "api/handlers/inbox_parts.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

namespace {

// None: since now, which the ledger knows. 0: all there is.
std::optional<std::int64_t> since_of(Json since) {
  if (!since || since.string() == "all") return since ? std::optional<std::int64_t>{0} : std::nullopt;
  const auto time = from_rfc3339(since.string());
  return time ? std::optional{std::max<std::int64_t>(to_micros(*time), 0)} : std::nullopt;
}

}  // namespace

Plan create_inbox(const Request& request, const Context& context) {
  const Json& body = request.body;
  std::vector<Flaw> flaws;
  messages::InboxCreate create{.inbox_id = made_by(request.command_id, "inbox"),
                               .actor = actor_of(request),
                               .name = std::string{body["name"].string()},
                               .connection_id = to_lower_ascii(body["connection_id"].string()),
                               .address = to_lower_ascii(body["address"].string()),
                               .folder = body["folder"].text().value_or("INBOX"),
                               .after_folder = body["after_folder"].text(),
                               .since_us = since_of(body["since"])};
  if (!body["board_id"].is_null()) create.board_id = reference_of(body["board_id"]);
  if (!body["smtp_connection_id"].is_null()) create.smtp_connection_id = reference_of(body["smtp_connection_id"]);
  if (const auto seconds = body["interval_seconds"].integer()) create.interval_ms = *seconds * second_ms;
  if (const auto minutes = body["duplicate_minutes"].integer()) create.duplicate_ms = *minutes * minute_ms;
  create.is_push = body["is_push"].flag().value_or(create.is_push);
  create.after = messages::value_of<messages::AfterImport>(body["after"].string()).value_or(create.after);
  judge_after(create.folder, create.after, create.after_folder, flaws);
  if (!flaws.empty()) return invalid_body(request, std::move(flaws));
  return exchange(request, context, create, fmt::format("/v1/inboxes/{}", create.inbox_id));
}

}  // namespace postroom::api
