#pragma once
// A clock that tests turn by hand, and identifiers that count.

#include <fmt/format.h>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"

namespace postroom::fakes {

class ManualClock final : public Clock {
 public:
  WallTime wall() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  void advance(std::chrono::milliseconds by) {
    wall_ += by;
    steady_ += by;
  }
  void jump_wall(std::chrono::milliseconds by) { wall_ += by; }

 private:
  WallTime wall_ = from_micros(1'795'168'800'000'000);  // 2026-11-20T10:00:00Z
  SteadyTime steady_{std::chrono::hours{1}};
};

class CountingIds final : public IdSource {
 public:
  std::string next() override { return fmt::format("00000000-0000-7000-8000-{:012x}", ++last_); }

 private:
  std::uint64_t last_ = 0;
};

}  // namespace postroom::fakes
