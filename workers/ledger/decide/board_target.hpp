#pragma once
// What only state can tell about a board's target.

#include <optional>
#include <string>

#include "common/messages/target.hpp"
#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// `state.connection` is the one that the target names.
std::optional<Problem> wrong_target(const State& state, const messages::Target& target);

// Writes the target into the board, without members that its kind does not use.
void set_target(store::BoardRow& board, const messages::Target& target);

std::string keywords_json(const std::vector<std::string>& keywords);

Problem name_taken(std::string_view name);

}  // namespace postroom::ledger
