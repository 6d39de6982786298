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
  return micros(worker == "trello" ? config.delivery.trello_settle : config.delivery.jira_settle);
}

inline std::string ticket_url(const Config& config, std::string_view ticket_id) {
  return std::string{config.api.public_url}.append("/v1/tickets/").append(ticket_id);
}

}  // namespace postroom::ledger
