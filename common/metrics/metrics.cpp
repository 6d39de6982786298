#include "common/metrics/metrics.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>

namespace postroom::metrics {

namespace {

constexpr std::array bucket_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0};

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string rendered(Labels labels) {
  std::string out;
  for (const auto& [name, value] : labels) out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value));
  return out;
}

std::string in_braces(std::string_view labels) { return labels.empty() ? std::string{} : fmt::format("{{{}}}", labels); }

// Families by name, members of a family by their rendered labels: OpenMetrics wants the lines of a family together.
template <class Metric>
using Families = std::map<std::string, std::map<std::string, std::unique_ptr<Metric>>, std::less<>>;

struct Registry {
  std::mutex lock;
  Families<Counter> counters;
  Families<Histogram> histograms;
  std::map<std::string, std::function<double()>, std::less<>> gauges;

  template <class Metric>
  Metric& find(Families<Metric>& families, std::string_view name, Labels labels) {
    const std::lock_guard hold{lock};
    auto& found = families[std::string{name}][rendered(labels)];
    if (!found) found = std::make_unique<Metric>();
    return *found;
  }
};

Registry& registry() {
  static auto* const instance = new Registry;  // never destroyed: threads may count until the very end
  return *instance;
}

}  // namespace

void Histogram::observe(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) seconds = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    if (seconds > bucket_bounds[i]) continue;
    buckets_[i].fetch_add(1, std::memory_order_relaxed);
    break;
  }
  sum_us_.fetch_add(static_cast<std::uint64_t>(std::min(seconds, 1e9) * 1e6), std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
}

std::string Histogram::render(std::string_view name, std::string_view labels) const {
  static_assert(bucket_bounds.size() == bucket_count);
  const std::string_view comma = labels.empty() ? "" : ",";
  // The total is read first: a bucket may run ahead of it, so +Inf is whichever is larger.
  const auto total = count_.load(std::memory_order_relaxed);
  const auto sum = static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
  std::string out;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    so_far += buckets_[i].load(std::memory_order_relaxed);
    out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bucket_bounds[i], so_far);
  }
  const auto all = std::max(total, so_far);
  out += fmt::format("{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, all);
  out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, in_braces(labels), sum, name, in_braces(labels), all);
  return out;
}

Counter& counter(std::string_view name, Labels labels) { return registry().find(registry().counters, name, labels); }

Histogram& histogram(std::string_view name, Labels labels) { return registry().find(registry().histograms, name, labels); }

void gauge(std::string_view name, std::function<double()> read) {
  const std::lock_guard hold{registry().lock};
  registry().gauges[std::string{name}] = std::move(read);
}

std::string render() {
  auto& all = registry();
  const std::lock_guard hold{all.lock};
  std::string out;
  for (const auto& [name, members] : all.counters) {
    out += fmt::format("# TYPE postroom_{} counter\n", name);
    for (const auto& [labels, one] : members) out += fmt::format("postroom_{}_total{} {}\n", name, in_braces(labels), one->value());
  }
  for (const auto& [name, read] : all.gauges) {
    const double value = read();
    out += fmt::format("# TYPE postroom_{0} gauge\npostroom_{0} {1}\n", name, std::isnan(value) ? "NaN" : fmt::format("{}", value));
  }
  for (const auto& [name, members] : all.histograms) {
    out += fmt::format("# TYPE postroom_{} histogram\n", name);
    for (const auto& [labels, one] : members) out += one->render(fmt::format("postroom_{}", name), labels);
  }
  return out + "# EOF\n";
}

}  // namespace postroom::metrics
