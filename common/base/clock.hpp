#pragma once
// Two times: the wall's (stored, shown) and the steady one (deadlines, back-off). Both come in through Clock, so that tests can turn them.

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace postroom {

using Micros = std::chrono::microseconds;
using WallTime = std::chrono::sys_time<Micros>;  // UTC
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  SteadyTime steady() const override;
};

// Stored form: microseconds since 1970-01-01T00:00:00Z.
inline std::int64_t to_micros(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime from_micros(std::int64_t us) { return WallTime{Micros{us}}; }

// RFC 3339 in UTC with six decimals: 2026-11-20T10:00:00.000000Z
std::string to_rfc3339(WallTime t);
Result<WallTime> from_rfc3339(std::string_view text);

}  // namespace postroom
