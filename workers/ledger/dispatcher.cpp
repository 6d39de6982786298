#include "workers/ledger/dispatcher.hpp"

#include <algorithm>

#include "common/metrics/metrics.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/destination.hpp"

namespace postroom::ledger {

namespace {

constexpr std::int64_t shelved_at_once = 100;  // of a hopeless destination's waiting deliveries, for each turn
constexpr std::int64_t looked_at_once = 200;   // of those that wait, for each turn: some are held back and make room for others

}  // namespace

Result<void> Dispatcher::open() {
  return books_.database().query("SELECT id FROM destinations", {}, [&](const store::Row& row) { touched_.insert(row.text(0)); });
}

bool Dispatcher::is_due(std::int64_t now) const {
  return !touched_.empty() || std::ranges::any_of(wakes_, [&](const auto& wake) { return wake.second <= now; });
}

std::optional<std::int64_t> Dispatcher::next_due() const {
  if (!touched_.empty()) return 0;
  const auto first = std::ranges::min_element(wakes_, {}, [](const auto& wake) { return wake.second; });
  return first == wakes_.end() ? std::nullopt : std::optional{first->second};
}

void Dispatcher::wake(const std::string& id, std::optional<std::int64_t> at) {
  if (at) {
    wakes_[id] = *at;
  } else {
    wakes_.erase(id);
  }
}

void Dispatcher::rolled_back() {
  touched_.merge(visiting_);
  visiting_.clear();
}

Result<Aftermath> Dispatcher::run(Context& context) {
  visiting_ = std::exchange(touched_, {});
  for (const auto& [id, at] : wakes_) {
    if (at <= context.now) visiting_.insert(id);
  }
  Aftermath all;
  for (const auto& id : visiting_) {
    auto after = visit(id, context);
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  return all;
}

Result<std::vector<std::string>> Dispatcher::waiting(const std::string& id, std::int64_t due, std::int64_t limit) {
  std::vector<std::string> deliveries;
  auto asked = books_.database().query(
      "SELECT id FROM deliveries WHERE destination_id = ?1 AND state = 'waiting' AND due_at <= ?2 ORDER BY due_at, seq LIMIT ?3", {id, due, limit},
      [&](const store::Row& row) { deliveries.push_back(row.text(0)); });
  if (!asked) return asked.error();
  return deliveries;
}

Result<Aftermath> Dispatcher::decide_all(const std::vector<std::string>& deliveries, bool is_shelved, Context& context, std::int64_t& dispatched) {
  Aftermath all;
  for (const auto& delivery : deliveries) {
    auto after = books_.decide_delivery(delivery, context, [&](const State& state) {
      Decision decision = decide_dispatch(state, context, is_shelved);
      if (!decision.must_arrive.empty()) ++dispatched;
      return decision;
    });
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  all.touched.clear();  // only this destination, which is being visited
  return all;
}

Result<Aftermath> Dispatcher::visit(const std::string& id, Context& context) {
  Needs needs;
  needs.connection_id = id;
  auto state = books_.load(needs);
  if (!state) return state.error();
  wake(id, std::nullopt);
  if (!state->destination || !state->connection || state->connection->is_paused) return Aftermath{};
  const auto& destination = *state->destination;

  if (is_hopeless(destination, context)) {
    auto deliveries = waiting(id, INT64_MAX, shelved_at_once);
    if (!deliveries) return deliveries.error();
    if (static_cast<std::int64_t>(deliveries->size()) == shelved_at_once) wake(id, context.now);
    std::int64_t none = 0;
    return decide_all(*deliveries, true, context, none);
  }

  const std::int64_t slots = free_slots(destination, context);
  Aftermath after;
  std::int64_t sent = 0, looked = 0;
  while (sent < slots && looked < looked_at_once) {
    auto deliveries = waiting(id, context.now, slots - sent);
    if (!deliveries) return deliveries.error();
    if (deliveries->empty()) break;
    looked += static_cast<std::int64_t>(deliveries->size());
    auto decided = decide_all(*deliveries, false, context, sent);
    if (!decided) return decided.error();
    after.take(std::move(*decided));
  }
  if (sent > 0) metrics::counter("ledger_dispatches", {{"worker", destination.worker}}).add(static_cast<std::uint64_t>(sent));
  if (sent < slots && looked >= looked_at_once) {
    wake(id, context.now);
  } else if (sent < slots) {
    // Room is left: the next one that waits for its time.
    std::optional<std::int64_t> next;
    auto asked = books_.database().query(
        "SELECT due_at FROM deliveries WHERE destination_id = ?1 AND state = 'waiting' AND due_at > ?2 ORDER BY due_at LIMIT 1", {id, context.now},
        [&](const store::Row& row) { next = row.integer(0); });
    if (!asked) return asked.error();
    wake(id, next);
  } else if (slots == 0 || destination.rate_per_second_milli > 0) {
    auto reread = books_.load(needs);
    if (!reread) return reread.error();
    if (reread->destination) wake(id, next_slot_at(*reread->destination, context));
  }
  return after;
}

}  // namespace postroom::ledger
