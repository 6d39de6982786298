#pragma once
// One arrival on its way through a decision, whichever door it came by: its row, its counters, its item on the shelf, its entry in history.
// Each arrival is counted once when it is accepted and stands in exactly one of the other counters ever after.

#include <string>

#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/incoming.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

class ArrivalDesk {
 public:
  // `fresh`: the row of an arrival that nobody saw before; that of the state is taken when there is one.
  ArrivalDesk(const State& state, Context& context, Decision& decision, store::ArrivalRow fresh);

  bool is_new() const { return !state_.arrival; }
  store::ArrivalRow& row() { return row_; }
  const store::ArrivalRow& row() const { return row_; }
  About about(std::optional<std::string> standby_id = {}) const;
  void note(std::string_view actor, std::string_view action, std::string detail_json, std::optional<std::string> standby_id = {});

  // What became of it. Writes the row: once, at the end. With its item, if one was waiting, resolved.
  void end_as(store::ArrivalState state);
  // It waits: as the item that it was before, else as `fresh`. `original`, when the message in hand is not the one to be replayed.
  void shelve(store::StandbyRow fresh, std::string_view reason_class, std::string_view reason);
  // The item, if one waits, has nothing more to wait for.
  void settle_item();

 private:
  const std::optional<store::StandbyRow>& earlier_item() const { return state_.pending_item ? state_.pending_item : state_.item; }
  void write(store::ArrivalState state);

  const State& state_;
  Context& context_;
  Decision& decision_;
  store::ArrivalRow row_;
};

// When the front door took it; now, when it does not tell.
std::int64_t accepted_at(const Incoming& in, const Context& context);
std::string correlation_of(const Incoming& in);

}  // namespace postroom::ledger
