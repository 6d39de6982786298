#pragma once
// From when on a mail counts as new to an inbox that was made at `created_at`. Servers date mails with whole seconds, and their clocks lag.

#include <cstdint>

namespace postroom::ledger {

constexpr std::int64_t new_mail_since(std::int64_t created_at) {
  constexpr std::int64_t second = 1'000'000, slack = 120 * second;
  return created_at - created_at % second - slack;
}

}  // namespace postroom::ledger
