#include <fmt/format.h>

#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::BoardDelete;

Needs needs(const BoardDelete& message, const Incoming&) {
  Needs needs;
  needs.board_id = message.board_id;
  needs.board_usage = true;
  return needs;
}

Decision decide(const State& state, const BoardDelete& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.board) return not_found("board", message.board_id, command_id);
  if (message.expected_version && *message.expected_version != state.board->version) return version_mismatch(state.board->version, command_id);
  if (state.is_board_used) {
    return refused({409, "in-use", "In use", "The board has tickets or standby items, an inbox, or is the default: archive it instead.", ""}, command_id);
  }
  Decision decision;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "board_deleted", detail({{"board_id", message.board_id}, {"name", state.board->name}}));
  decision.reply(200, fmt::format(R"({{"data":{{"id":"{}","state":"deleted"}}}})", state.board->id));
  decision.remove(*state.board);
  return decision;
}

}  // namespace postroom::ledger
