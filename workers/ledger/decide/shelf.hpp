#pragma once
// Standby items: how they are made, found again and put back.

#include <string>
#include <string_view>

#include "common/messages/stored.hpp"
#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/incoming.hpp"

namespace postroom::ledger {

// Worker, class, normalised text and type: items that one cause made have one key. Numbers, ids and quoted parts do not count.
std::string group_key(std::string_view worker, std::string_view reason_class, std::string_view reason, std::string_view type);

// The class of an item whose id was taken by another message; a retry sends it under an id of its own.
inline constexpr std::string_view reused_key = "idempotency-key-reused";

// The class of what somebody published who may not.
inline constexpr std::string_view not_allowed = "not_allowed";

bool is_unfinished(messages::StandbyState state);  // open, assigned, retry_pending

// A new item with the incoming message's bytes and properties.
store::StandbyRow item_of(const Incoming& incoming, messages::StandbyKind kind, std::string_view reason_class, std::string_view reason, Context& context);

// An item that failed again: open, one attempt more, with the newest reason.
void reopen(store::StandbyRow& item, std::string_view reason_class, std::string_view reason, const Context& context);

// Tells listeners.
void announce(Decision& decision, const store::StandbyRow& item);

// The original of an arrival or poison item on its way again: same message id, replay number, assigned board, user moved.
// `replay_no` is also written to the item. bad_message when the item's properties or bytes cannot be read back.
Result<MustArrive> replay_of(const store::StandbyRow& item, std::int64_t replay_no);

}  // namespace postroom::ledger
