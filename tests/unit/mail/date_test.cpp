#include "common/mail/date.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace postroom;

TEST_CASE("dates of every client become one instant") {
  struct Case {
    std::string_view text;
    std::string_view expected;
  };
  const Case cases[] = {
      {"Fri, 20 Nov 2026 10:00:00 +0000", "2026-11-20T10:00:00.000000Z"},
      {"Fri, 20 Nov 2026 11:00:00 +0100 (CET)", "2026-11-20T10:00:00.000000Z"},
      {"20 Nov 26 05:00 EST", "2026-11-20T10:00:00.000000Z"},
      {"Fri Nov 20 10:00:00 2026 +0000", "2026-11-20T10:00:00.000000Z"},
      {"20-Nov-2026 10:00:00 GMT", "2026-11-20T10:00:00.000000Z"},
      {"Fri, 20 Nov 2026 10:00:00", "2026-11-20T10:00:00.000000Z"},
      {"Fri, 20 Nov 2026 15:30:00 +0530", "2026-11-20T10:00:00.000000Z"},
      {"2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000000Z"},
      {"Thu, 31 Dec 1998 23:59:60 +0000", "1999-01-01T00:00:00.000000Z"},
      {"Fri, 1 Jan 99 00:00:00 +0000", "1999-01-01T00:00:00.000000Z"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const auto parsed = mail::parse_date(one.text);
    REQUIRE(parsed.has_value());
    CHECK(to_rfc3339(*parsed) == one.expected);
  }
}

TEST_CASE("absurd dates are none") {
  for (const std::string_view text :
       {"", "yesterday", "Fri, 20 Nov 9999 10:00:00 +0000", "Fri, 20 Nov 0000 10:00:00 +0000",
        "Fri, 20 Nov 2026 10:00:00 +9999", "Fri, 31 Feb 2026 10:00:00 +0000", "Fri, 20 Nov 2026 25:00:00 +0000",
        "Fri, 20 Nov 1969 10:00:00 +0000", "20 Nov 2026", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(mail::parse_date(text).has_value());
  }
  CHECK_FALSE(mail::parse_date(std::string(1'000'000, '(')).has_value());
}
