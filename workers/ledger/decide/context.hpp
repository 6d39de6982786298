#pragma once
// What a decision may know besides state and message: the time, new ids, chance and the settings. All of it comes in, so tests can choose it.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/config.hpp"
#include "common/base/ids.hpp"

namespace postroom::ledger {

struct Context {
  std::int64_t now = 0;            // microseconds UTC
  std::int64_t seq = 0;            // order of history entries within one microsecond; counts on
  IdSource& ids;
  std::function<double()> chance;  // 0 ≤ x < 1
  const Config& config;
};

inline std::int64_t micros(std::chrono::milliseconds time) { return std::chrono::microseconds{time}.count(); }

// T_settle of a worker kind: a request that the far side received commits within this or never.
inline std::int64_t settle_time(const Config& config, std::string_view worker) {
  if (worker == "notifier") return micros(config.notify.smtp_settle);
  return micros(worker == "trello" ? config.delivery.trello_settle : config.delivery.jira_settle);
}

// T_http: one exchange with the far side, from its first byte to its last.
inline std::int64_t exchange_time(const Config& config, std::string_view worker) {
  return micros(worker == "notifier" ? config.notify.smtp_timeout : config.delivery.http_timeout);
}

// How often a delivery is tried, and how long it waits in between at most: mail servers are away for days.
inline std::int64_t attempts_allowed(const Config& config, std::string_view worker) {
  return worker == "notifier" ? config.notify.max_attempts : config.delivery.max_attempts;
}
inline std::int64_t back_off_cap(const Config& config, std::string_view worker) {
  return micros(worker == "notifier" ? config.notify.backoff_cap : config.delivery.backoff_cap);
}

// `base`, doubled for each time before, up to `cap`; between half and the whole of it, so that what failed together does not come back together.
inline std::int64_t back_off(const Context& context, std::int64_t base, std::int64_t cap, std::int64_t times) {
  std::int64_t wait = base;
  for (std::int64_t i = 1; i < times && wait < cap; ++i) wait *= 2;
  wait = wait < cap ? wait : cap;
  return wait / 2 + static_cast<std::int64_t>(context.chance() * static_cast<double>(wait / 2));
}

inline std::string ticket_url(const Config& config, std::string_view ticket_id) {
  return std::string{config.api.public_url}.append("/v1/tickets/").append(ticket_id);
}

}  // namespace postroom::ledger
