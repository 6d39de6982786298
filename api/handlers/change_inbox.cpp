// Reads the inbox first: what becomes of mails is judged as it will be, with what is not changed.

#include "api/handlers/inbox_parts.hpp"
#include "api/handlers/reading_answers.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

Plan change_inbox(const Request& request, const Context& context) {
  const auto inbox = context.reading->inbox(request.id);
  if (!inbox) return reading_failed(inbox.error(), request);
  if (!*inbox) return not_found(request.path, "there is no inbox with this id");
  const Json& body = request.body;
  std::vector<Flaw> flaws;
  messages::InboxUpdate update{.inbox_id = std::string{request.id},
                               .actor = actor_of(request),
                               .expected_version = request.expected_version,
                               .name = body["name"].text(),
                               .folder = body["folder"].text(),
                               .board_id = reference_of(body["board_id"]),
                               .smtp_connection_id = reference_of(body["smtp_connection_id"]),
                               .is_push = body["is_push"].flag(),
                               .is_paused = body["is_paused"].flag()};
  if (const auto address = body["address"].text()) update.address = to_lower_ascii(*address);
  if (const auto seconds = body["interval_seconds"].integer()) update.interval_ms = *seconds * second_ms;
  if (const auto minutes = body["duplicate_minutes"].integer()) update.duplicate_ms = *minutes * minute_ms;
  if (body["after"]) update.after = messages::value_of<messages::AfterImport>(body["after"].string());
  if (body["after_folder"]) update.after_folder = std::string{body["after_folder"].string()};
  const auto after = update.after.value_or((*inbox)->after_import);
  // Who stops moving mails need not say that the folder goes too.
  if (after != messages::AfterImport::move && !update.after_folder && (*inbox)->after_folder) update.after_folder = "";
  judge_after(update.folder.value_or((*inbox)->folder), after, update.after_folder ? update.after_folder : (*inbox)->after_folder, flaws);
  if (!flaws.empty()) return invalid_body(request, std::move(flaws));
  return exchange(request, context, update);
}

}  // namespace postroom::api
