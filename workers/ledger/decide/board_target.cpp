#include "workers/ledger/decide/board_target.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/codec/codec.hpp"

namespace postroom::ledger {

using messages::TargetKind;

std::optional<Problem> wrong_target(const State& state, const messages::Target& target) {
  if (target.kind == TargetKind::desk) return std::nullopt;
  const std::string_view kind = messages::name_of(target.kind);
  const auto wrong = [](std::string detail, std::string pointer) { return Problem{422, "invalid", "Not acceptable", std::move(detail), std::move(pointer)}; };
  if (!target.connection_id) return wrong(fmt::format("A {} target needs a connection.", kind), "/target/connection_id");
  if (!state.connection) return wrong(fmt::format("There is no connection with the id {}.", *target.connection_id), "/target/connection_id");
  if (messages::name_of(state.connection->kind) != kind) {
    return wrong(fmt::format("This connection is of kind {}, the target is of kind {}.", messages::name_of(state.connection->kind), kind), "/target/connection_id");
  }
  if (target.kind == TargetKind::jira && !target.jira) return wrong("A jira target needs project_key and issue_type.", "/target/jira");
  if (target.kind == TargetKind::trello && !target.trello) return wrong("A trello target needs board_id and list_id.", "/target/trello");
  return std::nullopt;
}

void set_target(store::BoardRow& board, const messages::Target& target) {
  messages::Target kept = target;
  if (kept.kind != TargetKind::jira) kept.jira.reset();
  if (kept.kind != TargetKind::trello) kept.trello.reset();
  if (kept.kind == TargetKind::desk) kept.connection_id.reset();
  board.target_kind = kept.kind;
  board.connection_id = kept.connection_id;
  board.target = codec::encode(kept);
}

std::string keywords_json(const std::vector<std::string>& keywords) {
  std::string out = "[";
  for (const auto& keyword : keywords) {
    if (out.size() > 1) out += ",";
    out += fmt::format("\"{}\"", json_escaped(keyword));
  }
  return out + "]";
}

Problem name_taken(std::string_view name) { return {409, "name-taken", "Name taken", fmt::format("There is one with the name {} already: choose another.", name), "/name"}; }

}  // namespace postroom::ledger
