#pragma once
// What only state can tell about an inbox's settings.

#include <optional>

#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// Of the row as it is to be. `state.connection`, `board`, `smtp_asked`, `inbox_named` and `inbox_same_folder` are what it names.
std::optional<Problem> wrong_inbox(const State& state, const store::MailInboxRow& inbox);

// An empty text takes an optional member away.
std::optional<std::string> kept_text(const std::optional<std::string>& text);

}  // namespace postroom::ledger
