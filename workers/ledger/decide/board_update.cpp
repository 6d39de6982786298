#include "common/store/views.hpp"
#include "workers/ledger/decide/board_target.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

using messages::BoardUpdate;

Needs needs(const BoardUpdate& message, const Incoming&) {
  Needs needs;
  needs.board_id = message.board_id;
  needs.board_name = message.name;
  if (message.target) needs.connection_id = message.target->connection_id;
  needs.settings = message.state == messages::BoardState::archived;
  return needs;
}

Decision decide(const State& state, const BoardUpdate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.board) return not_found("board", message.board_id, command_id);
  const auto& before = *state.board;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (message.name && state.board_named && state.board_named->id != before.id) return refused(name_taken(*message.name), command_id);
  if (message.target) {
    if (const auto wrong = wrong_target(state, *message.target)) return refused(*wrong, command_id);
  }
  // Mail that matches no keyword would all wait on the shelf from here on: nobody means that by the way.
  if (message.state == messages::BoardState::archived && state.settings.default_board_id == before.id) {
    return refused({409, "default-board", "This is the default board", "Mail that fits no other board goes here: name another default board in the settings, or none, and archive it then.",
                    "/state"},
                   command_id);
  }
  Decision decision;
  store::BoardRow board = before;
  if (message.name) board.name = *message.name;
  if (message.is_public) board.is_public = *message.is_public;
  if (message.keywords) board.keywords = keywords_json(*message.keywords);
  if (message.target) set_target(board, *message.target);
  if (message.state) board.state = *message.state;
  board.updated_at = context.now;
  ++board.version;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "board_updated", detail({{"board_id", board.id}, {"state", std::string{messages::name_of(board.state)}}}));
  decision.reply(200, store::data_json(store::board_json(board)));
  decision.update(before, std::move(board));
  return decision;
}

}  // namespace postroom::ledger
