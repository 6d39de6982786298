#include "common/store/views.hpp"
#include "workers/ledger/decide/board_target.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

using messages::BoardCreate;

Needs needs(const BoardCreate& message, const Incoming&) {
  Needs needs;
  needs.board_id = message.board_id;
  needs.board_name = message.name;
  needs.connection_id = message.target.connection_id;
  return needs;
}

Decision decide(const State& state, const BoardCreate& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (state.board) return refused({409, "exists", "Exists already", "There is a board with this id.", ""}, command_id);
  if (state.board_named) return refused(name_taken(message.name), command_id);
  if (const auto wrong = wrong_target(state, message.target)) return refused(*wrong, command_id);
  Decision decision;
  store::BoardRow board;
  board.id = message.board_id;
  board.name = message.name;
  board.is_public = message.is_public;
  board.keywords = keywords_json(message.keywords);
  set_target(board, message.target);
  board.version = 1;
  board.created_at = board.updated_at = context.now;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "board_created", detail({{"board_id", board.id}, {"name", board.name}}));
  decision.reply(201, store::data_json(store::board_json(board)));
  decision.insert(std::move(board));
  return decision;
}

}  // namespace postroom::ledger
