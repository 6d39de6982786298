#include "common/imap/date.hpp"

#include <doctest/doctest.h>

using namespace postroom;
using namespace postroom::imap;

TEST_CASE("INTERNALDATE is read into UTC") {
  CHECK(to_rfc3339(*parse_internal_date("17-Jul-2026 02:44:25 -0700")) == "2026-07-17T09:44:25.000000Z");
  CHECK(to_rfc3339(*parse_internal_date(" 1-jan-2026 00:30:00 +0100")) == "2025-12-31T23:30:00.000000Z");
  CHECK(to_rfc3339(*parse_internal_date("1-Jan-2026 00:30:00 +0000")) == "2026-01-01T00:30:00.000000Z");
}

TEST_CASE("what is no INTERNALDATE is not guessed at") {
  for (const char* text : {"", "31-Feb-2026 00:00:00 +0000", "17-Jul-2026 24:00:00 +0000", "17-Foo-2026 00:00:00 +0000",
                           "17-Jul-2026 00:00:00 GMT", "17/Jul/2026 00:00:00 +0000", "17-Jul-20260 0:00:00 +0000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_internal_date(text));
  }
}
