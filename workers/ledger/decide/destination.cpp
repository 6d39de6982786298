#include "workers/ledger/decide/destination.hpp"

#include <algorithm>

#include "common/base/sabotage.hpp"

namespace postroom::ledger {

using messages::ReasonClass;
using store::Circuit;
using store::DestinationRow;

namespace {

constexpr std::int64_t one_token = 1'000;

std::int64_t bucket_size(const DestinationRow& row) { return std::max(one_token, row.rate_per_second_milli); }  // a second's worth

std::int64_t tokens_now(const DestinationRow& row, std::int64_t now) {
  const std::int64_t waited = std::clamp<std::int64_t>(now - row.tokens_at, 0, 60'000'000);
  return std::min(bucket_size(row), row.tokens_milli + waited * row.rate_per_second_milli / 1'000'000);
}

}  // namespace

bool is_hopeless(ReasonClass reason) {
  return reason == ReasonClass::credentials || reason == ReasonClass::certificate || reason == ReasonClass::blocked_address;
}

bool is_hopeless(const DestinationRow& row, const Context& context) {
  return row.circuit == Circuit::open && row.paused_until > context.now && is_hopeless(messages::value_of<ReasonClass>(row.pause_reason).value_or(ReasonClass::none));
}

std::int64_t free_slots(const DestinationRow& row, const Context& context) {
  if (row.paused_until > context.now) return 0;
  if (row.circuit == Circuit::open) return 1;                            // the probe
  if (row.circuit == Circuit::probing) return row.in_flight == 0 ? 1 : 0;  // its outcome got lost: another one
  std::int64_t slots = std::max<std::int64_t>(0, (saboteur("window_off") ? 1'000 : row.window_size) - row.in_flight);
  if (row.rate_per_second_milli > 0) slots = std::min(slots, tokens_now(row, context.now) / one_token);
  return slots;
}

std::optional<std::int64_t> next_slot_at(const DestinationRow& row, const Context& context) {
  if (row.paused_until > context.now) return row.paused_until;
  if (row.circuit != Circuit::closed || row.in_flight >= row.window_size || row.rate_per_second_milli <= 0) return std::nullopt;
  const std::int64_t missing = one_token - tokens_now(row, context.now);
  if (missing <= 0) return std::nullopt;
  return context.now + missing * 1'000'000 / row.rate_per_second_milli + 1;
}

void on_dispatch(DestinationRow& row, const Context& context) {
  ++row.in_flight;
  if (row.circuit == Circuit::open) row.circuit = Circuit::probing;
  if (row.rate_per_second_milli <= 0) return;
  row.tokens_milli = tokens_now(row, context.now) - one_token;
  row.tokens_at = context.now;
}

void on_leave(DestinationRow& row) { row.in_flight = std::max<std::int64_t>(0, row.in_flight - 1); }

void on_answer(DestinationRow& row, Context& context) {
  row.failures = 0;
  if (row.circuit != Circuit::closed) {
    row.circuit = Circuit::closed;
    row.paused_until = 0;
    row.pause_reason.clear();
  }
  // One more for each window of successes, by chance instead of by a counter; only while the window is what limits.
  const bool is_limiting = row.in_flight + 1 >= row.window_size;
  if (is_limiting && row.window_size < context.config.delivery.window_limit && context.chance() * static_cast<double>(row.window_size) < 1.0) {
    ++row.window_size;
  }
}

void on_failure(DestinationRow& row, ReasonClass reason, const Context& context) {
  ++row.failures;
  row.window_size = std::max<std::int64_t>(1, row.window_size / 2);
  const bool opens = is_hopeless(reason) || row.circuit != Circuit::closed || row.failures >= context.config.delivery.circuit_failures;
  if (!opens) return;
  row.circuit = Circuit::open;
  row.paused_until = context.now + micros(context.config.delivery.circuit_probe);
  row.pause_reason = messages::name_of(reason);
}

void on_push_back(DestinationRow& row, std::int64_t until, std::string_view reason) {
  row.window_size = std::max<std::int64_t>(1, row.window_size / 2);
  row.paused_until = std::max(row.paused_until, until);
  if (row.circuit == Circuit::closed) row.pause_reason = reason;
}

void on_limits(DestinationRow& row, const messages::Limits& limits, const Context& context) {
  if (limits.per_interval && limits.interval_ms && *limits.per_interval > 0 && *limits.interval_ms > 0) {
    // Nine tenths of it: others use the same account.
    // Bounded, whatever the far side says: a token a minute at least, a thousand a second at most.
    const std::int64_t announced = std::min<std::int64_t>(*limits.per_interval, 1'000'000'000) * 900'000 / *limits.interval_ms;
    const std::int64_t rate = std::clamp<std::int64_t>(announced, 17, 1'000'000);
    if (row.rate_per_second_milli == 0) {
      row.tokens_milli = std::max(one_token, rate);
      row.tokens_at = context.now;
    }
    row.rate_per_second_milli = rate;
  }
  if (limits.remaining && *limits.remaining <= 0 && limits.reset_ms) {
    const std::int64_t wait = std::clamp<std::int64_t>(*limits.reset_ms, 0, context.config.delivery.retry_after_cap.count());
    row.paused_until = std::max(row.paused_until, context.now + wait * 1'000);
    if (row.circuit == Circuit::closed) row.pause_reason = messages::name_of(ReasonClass::rate_limited);
  }
}

void reset(DestinationRow& row, const Context& context) {
  row.window_size = context.config.delivery.window_start;
  row.circuit = Circuit::closed;
  row.failures = 0;
  row.paused_until = 0;
  row.pause_reason.clear();
  row.rate_per_second_milli = row.tokens_milli = 0;
}

}  // namespace postroom::ledger
