#include "common/base/ids.hpp"

#include <doctest/doctest.h>

using namespace postroom;

TEST_CASE("new identifiers are version 7, distinct, and in order of time") {
  SystemIds ids;
  const std::string a = ids.next(), b = ids.next();
  CHECK(is_uuid(a));
  CHECK(a[14] == '7');
  CHECK(a != b);
  CHECK(a.substr(0, 13) <= b.substr(0, 13));
}

TEST_CASE("a UUID's text and bytes agree") {
  const std::string text = "01920000-abcd-7def-8012-3456789abcde";
  CHECK(to_text(uuid_bytes(text)) == text);
  CHECK_FALSE(is_uuid("01920000-abcd-7def-8012-3456789abcd"));
  CHECK_FALSE(is_uuid("01920000+abcd-7def-8012-3456789abcde"));
}
