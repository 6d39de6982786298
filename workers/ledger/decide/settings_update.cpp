#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/store/views.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::SettingsUpdate;

namespace {

constexpr std::size_t longest_name = 200;

// Something is named, and not taken away.
bool is_named(const std::optional<std::string>& value) { return value && !value->empty(); }

void set(std::optional<std::string>& slot, const std::optional<std::string>& value) {
  if (value) slot = value->empty() ? std::nullopt : value;
}

std::optional<Problem> obstacle(const State& state, const SettingsUpdate& message) {
  const auto invalid = [](std::string detail, std::string pointer) {
    return Problem{422, "invalid", "Not acceptable", std::move(detail), std::move(pointer)};
  };
  if (is_named(message.default_board_id)) {
    if (!state.board) return invalid("There is no such board.", "/default_board_id");
    if (state.board->state == messages::BoardState::archived) return invalid("This board is archived.", "/default_board_id");
  }
  if (is_named(message.smtp_connection_id) && (!state.connection || state.connection->kind != messages::ConnectionKind::smtp)) {
    return invalid("There is no such connection of the kind smtp.", "/smtp_connection_id");
  }
  if (is_named(message.sender_address) && !mail::is_addr_spec(*message.sender_address)) {
    return invalid("This is not a mail address.", "/sender_address");
  }
  if (is_named(message.sender_name) && (message.sender_name->size() > longest_name || has_control_bytes(*message.sender_name))) {
    return invalid(fmt::format("A name is one line of at most {} bytes.", longest_name), "/sender_name");
  }
  return std::nullopt;
}

}  // namespace

Needs needs(const SettingsUpdate& message, const Incoming&) {
  Needs needs;
  needs.settings = true;
  if (is_named(message.default_board_id)) needs.board_id = message.default_board_id;
  if (is_named(message.smtp_connection_id)) needs.connection_id = message.smtp_connection_id;
  return needs;
}

Decision decide(const State& state, const SettingsUpdate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  const auto& before = state.settings;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (const auto wrong = obstacle(state, message)) return refused(*wrong, command_id);
  Decision decision;
  store::SettingsRow settings = before;
  set(settings.default_board_id, message.default_board_id);
  set(settings.smtp_connection_id, message.smtp_connection_id);
  set(settings.sender_address, message.sender_address);
  set(settings.sender_name, message.sender_name);
  if (message.is_confirming) settings.is_confirming = *message.is_confirming;
  if (message.is_telling_states) settings.is_telling_states = *message.is_telling_states;
  settings.updated_at = context.now;
  ++settings.version;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "settings_updated",
       detail({{"default_board_id", settings.default_board_id.value_or("")},
               {"smtp_connection_id", settings.smtp_connection_id.value_or("")},
               {"sender_address", settings.sender_address.value_or("")}}));
  decision.reply(200, store::data_json(store::settings_json(settings)));
  decision.update(before, std::move(settings));
  return decision;
}

}  // namespace postroom::ledger
