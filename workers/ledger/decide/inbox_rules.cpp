#include "workers/ledger/decide/inbox_rules.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "workers/ledger/decide/board_target.hpp"
#include "workers/ledger/decide/mailbox_place.hpp"

namespace postroom::ledger {

namespace {

constexpr std::int64_t shortest_interval = 1'000;        // milliseconds
constexpr std::int64_t longest_interval = 86'400'000;

constexpr std::size_t longest_name = 200;                // bytes
constexpr std::size_t longest_folder = 1'000;

bool is_folder(const std::string& name) { return !name.empty() && name.size() <= longest_folder && !has_control_bytes(name); }

Problem wrong(std::string detail, std::string pointer) { return {422, "invalid", "Not acceptable", std::move(detail), std::move(pointer)}; }

PlaceAsked asked_of(const State& state, const store::MailInboxRow& inbox) {
  if (!state.inbox) return {};
  const auto& before = *state.inbox;
  return {before.folder != inbox.folder, before.after_import != inbox.after_import || before.after_folder != inbox.after_folder};
}

}  // namespace

std::optional<std::string> kept_text(const std::optional<std::string>& text) { return text && !text->empty() ? text : std::nullopt; }

std::optional<Problem> wrong_inbox(const State& state, const store::MailInboxRow& inbox) {
  if (!state.connection) return wrong(fmt::format("There is no connection with the id {}.", inbox.connection_id), "/connection_id");
  if (state.connection->kind != messages::ConnectionKind::imap) {
    return wrong(fmt::format("This connection is of kind {}, an inbox needs one of kind imap.", messages::name_of(state.connection->kind)), "/connection_id");
  }
  if (inbox.name.empty() || inbox.name.size() > longest_name || has_control_bytes(inbox.name)) {
    return wrong(fmt::format("A name is one line of at most {} bytes.", longest_name), "/name");
  }
  if (!mail::is_addr_spec(inbox.address)) return wrong("This is no mail address.", "/address");
  if (!is_folder(inbox.folder)) return wrong("A folder has a name without control characters; the first one of a mailbox is INBOX.", "/folder");
  if (inbox.after_folder && !is_folder(*inbox.after_folder)) return wrong("A folder has a name without control characters.", "/after_folder");
  if (inbox.interval_ms < shortest_interval || inbox.interval_ms > longest_interval) return wrong("An interval lies between a second and a day.", "/interval_seconds");
  if (inbox.duplicate_ms < 0) return wrong("This span cannot be negative.", "/duplicate_minutes");
  if (inbox.board_id && !state.board) return wrong("There is no such board.", "/board_id");
  const bool is_new_board = !state.inbox || state.inbox->board_id != inbox.board_id;
  if (inbox.board_id && is_new_board && state.board->state == messages::BoardState::archived) return wrong("This board is archived.", "/board_id");
  if (inbox.smtp_connection_id && !state.smtp_asked) return wrong("There is no such connection.", "/smtp_connection_id");
  if (inbox.smtp_connection_id && state.smtp_asked->kind != messages::ConnectionKind::smtp) {
    return wrong(fmt::format("This connection is of kind {}, mail goes out by one of kind smtp.", messages::name_of(state.smtp_asked->kind)), "/smtp_connection_id");
  }
  if (inbox.after_import == messages::AfterImport::move && !inbox.after_folder) return wrong("To move mails, name the folder they go to.", "/after_folder");
  const PlaceAsked asked = asked_of(state, inbox);
  if ((asked.is_folder_new || asked.is_target_new) && is_moving(inbox) && is_same_folder(*inbox.after_folder, inbox.folder)) {
    return wrong("Mails cannot be moved to where they are: they would come in again for ever.", "/after_folder");
  }
  if (state.inbox_named && state.inbox_named->id != inbox.id) return name_taken(inbox.name);
  return place_taken(state, *state.connection, inbox, asked);
}

}  // namespace postroom::ledger
