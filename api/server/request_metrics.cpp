#include "api/server/request_metrics.hpp"

#include <array>
#include <vector>

#include "common/metrics/metrics.hpp"

namespace postroom::api {

namespace {

constexpr std::array<std::string_view, 3> classes{"2xx", "4xx", "5xx"};

struct OfRoute {
  std::array<metrics::Counter*, classes.size()> by_class;
  metrics::Histogram* seconds;
};

OfRoute counters_of(std::string_view name) {
  OfRoute counters{};
  for (std::size_t n = 0; n < classes.size(); ++n) {
    counters.by_class[n] = &metrics::counter("http_requests", {{"route", name}, {"status", classes[n]}});
  }
  counters.seconds = &metrics::histogram("http_request_seconds", {{"route", name}});
  return counters;
}

// One for each route, and the last for requests that found none.
const std::vector<OfRoute>& all_counters() {
  static const std::vector<OfRoute> all = [] {
    std::vector<OfRoute> made;
    for (const auto& route : routes()) made.push_back(counters_of(name_of(route)));
    made.push_back(counters_of("none"));
    return made;
  }();
  return all;
}

}  // namespace

void count_request(const Route* route, int status, std::chrono::nanoseconds took) {
  const auto index = route == nullptr ? routes().size() : static_cast<std::size_t>(route - routes().data());
  const auto& counters = all_counters()[index];
  const auto kind = static_cast<std::size_t>(status < 400 ? 0 : status < 500 ? 1 : 2);
  counters.by_class[kind]->add();
  counters.seconds->observe(std::chrono::duration<double>(took).count());
}

}  // namespace postroom::api
