#include "common/base/clock.hpp"

#include <doctest/doctest.h>

using namespace postroom;

TEST_CASE("RFC 3339 times survive a round trip") {
  const WallTime t = from_micros(1'795'168'800'123'456);
  const auto back = from_rfc3339(to_rfc3339(t));
  REQUIRE(back.ok());
  CHECK(back.value() == t);
  CHECK(to_rfc3339(from_micros(0)) == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("what is no UTC time is refused") {
  for (const char* text : {"", "2026-11-20", "2026-13-20T10:00:00Z", "2026-11-20T25:00:00Z", "2026-11-20T10:00:00+01:00", "2026-11-20T10:00:00.Z"}) {
    CAPTURE(text);
    CHECK_FALSE(from_rfc3339(text).ok());
  }
}
