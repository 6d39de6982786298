#pragma once
// How fast a far side may be called: window (additive increase, multiplicative decrease), token bucket, pause, circuit. Pure functions on its row.

#include <optional>

#include "common/messages/work.hpp"
#include "common/store/rows.hpp"
#include "workers/ledger/decide/context.hpp"

namespace postroom::ledger {

// A failure that concerns every delivery to this far side and that only a person ends: credentials, certificate, blocked address.
// After such a refusal waiting deliveries go to standby with that reason instead of being tried one by one.
bool is_hopeless(messages::ReasonClass reason);
// Open, just refused, and no probe under way: what waits now would only be refused too.
bool is_hopeless(const store::DestinationRow& row, const Context& context);

// How many deliveries may be dispatched now.
std::int64_t free_slots(const store::DestinationRow& row, const Context& context);
// When free_slots may rise by itself; none: only an outcome or a command can raise it.
std::optional<std::int64_t> next_slot_at(const store::DestinationRow& row, const Context& context);

void on_dispatch(store::DestinationRow& row, const Context& context);
void on_leave(store::DestinationRow& row);  // a delivery is no longer dispatched or claimed
void on_answer(store::DestinationRow& row, Context& context);  // the far side did what it was asked, or refused just this
void on_failure(store::DestinationRow& row, messages::ReasonClass reason, const Context& context);
void on_push_back(store::DestinationRow& row, std::int64_t until, std::string_view reason);
void on_limits(store::DestinationRow& row, const messages::Limits& limits, const Context& context);
void reset(store::DestinationRow& row, const Context& context);  // as new, but for what is in flight

}  // namespace postroom::ledger
