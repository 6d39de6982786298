#pragma once
// Waits between attempts to reach the broker: fast first, doubling to two seconds, each a random part of it so that a hundred processes do
// not knock together.

#include <algorithm>
#include <chrono>
#include <random>

namespace postroom::broker {

class Backoff {
 public:
  explicit Backoff(std::uint32_t seed) : random_(seed) {}

  std::chrono::milliseconds next() {
    const auto longest = std::min(cap.count(), first.count() << std::min(failures_, 10));
    ++failures_;
    return std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{longest / 2, longest}(random_)};
  }

  void reset() { failures_ = 0; }

  static constexpr std::chrono::milliseconds first{50};
  static constexpr std::chrono::milliseconds cap{2000};

 private:
  std::minstd_rand random_;
  int failures_ = 0;
};

}  // namespace postroom::broker
