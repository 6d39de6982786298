#include "api/query.hpp"

#include <doctest/doctest.h>

using postroom::api::Query;

TEST_CASE("queries are decoded") {
  const auto query = Query::parse("a=1&b=x%20y+z&c=&d&e=%C3%A4");
  REQUIRE(query.ok());
  CHECK(query->find("a") == "1");
  CHECK(query->find("b") == "x y z");
  CHECK(query->find("c") == "");
  CHECK(query->find("d") == "");
  CHECK(query->find("e") == "\xc3\xa4");
  CHECK_FALSE(query->find("f").has_value());
}

TEST_CASE("wrong escapes, broken UTF-8, control characters and repeats are refused, and the parameter is named") {
  for (const char* wrong : {"a=%", "a=%4", "a=%zz", "a=%c0%af", "a=%ff", "a=%00", "a=%0d%0a", "a=1&a=2"}) {
    CAPTURE(wrong);
    const auto query = Query::parse(wrong);
    REQUIRE_FALSE(query.ok());
    CHECK(query.error().where() == "a");
  }
  CHECK_FALSE(Query::parse("%ff=1").ok());
}
