#pragma once
// Counters, gauges and histograms, rendered as OpenMetrics text. Why not a library: the C++ client in Debian brings its own HTTP server and
// threads; ours is an array of atomics that the process's own health socket prints.

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postroom::metrics {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Histogram {
 public:
  void observe(double seconds);  // fixed buckets 0.5 ms … 60 s
  struct Snapshot;
  std::string render(std::string_view name, std::string_view labels) const;

 private:
  static constexpr std::size_t bucket_count = 14;
  std::atomic<std::uint64_t> buckets_[bucket_count]{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_us_{0};
};

// Process-wide. Returned references live as long as the process; the same name and labels give the same object. Names without the
// "postroom_" prefix and without "_total": counter("published") prints postroom_published_total.
Counter& counter(std::string_view name, Labels labels = {});
Histogram& histogram(std::string_view name, Labels labels = {});
void gauge(std::string_view name, std::function<double()> read);  // `read` must be callable from the health server's thread

std::string render();  // OpenMetrics 1.0 text, ends with "# EOF"

}  // namespace postroom::metrics
