#pragma once
// What only state can tell about an inbox's settings.

#include <optional>

#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// Of the row as it is to be. `state.connection`, `board`, `smtp_asked`, and `inbox_named` are what it names; `account_inboxes` when its place is new.
std::optional<Problem> wrong_inbox(const State& state, const store::MailInboxRow& inbox);

// An empty text takes an optional member away.
std::optional<std::string> kept_text(const std::optional<std::string>& text);

}  // namespace postroom::ledger
