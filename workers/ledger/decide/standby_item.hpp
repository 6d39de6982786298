#pragma once
// What the commands on one standby item share: the checks before, the answer after.

#include <optional>

#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// 404, 412 or 409 (`is_pending_fine`: a pending retry is no obstacle).
std::optional<Decision> item_obstacle(const State& state, std::string_view item_id, std::optional<std::int64_t> expected_version, bool is_pending_fine,
                                      std::string_view command_id);

std::string item_answer(const store::StandbyRow& item);

// What was accepted under an id that another message already had becomes a ticket of its own. A copy gets the ids that its original would get.
void give_own_id(store::StandbyRow& item);

About about_item(const store::StandbyRow& item);

}  // namespace postroom::ledger
