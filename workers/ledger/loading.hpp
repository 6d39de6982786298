#pragma once
// One optional row into its slot of a State.

#include <initializer_list>
#include <optional>
#include <string_view>

#include "common/store/table.hpp"

namespace postroom::ledger {

// A slot that holds a row already keeps it: an explicit wish comes first.
template <class R>
Result<void> into(std::optional<R>& slot, store::Database& database, std::string_view rest, std::initializer_list<store::Value> values) {
  if (slot) return {};
  auto row = store::select_one<R>(database, rest, values);
  if (!row) return row.error();
  slot = std::move(*row);
  return {};
}

}  // namespace postroom::ledger
