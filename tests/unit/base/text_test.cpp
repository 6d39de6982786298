#include "common/base/text.hpp"

#include <doctest/doctest.h>

using namespace postroom;

TEST_CASE("json_escaped escapes what JSON forbids and mends what is not UTF-8") {
  CHECK(json_escaped("a\"b\\c\n\x01") == "a\\\"b\\\\c\\n\\u0001");
  CHECK(json_escaped("gr\xc3\xbc\xc3\x9f" "e") == "gr\xc3\xbc\xc3\x9f" "e");
  CHECK(json_escaped("\xff") == "\xef\xbf\xbd");
}

TEST_CASE("UTF-8 is judged by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF") {
  CHECK(is_valid_utf8("z\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"));
  CHECK_FALSE(is_valid_utf8("\xc0\xaf"));
  CHECK_FALSE(is_valid_utf8("\xed\xa0\x80"));
  CHECK_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));
  CHECK_FALSE(is_valid_utf8("\xe2\x82"));
}

TEST_CASE("cut_utf8 never cuts inside a character") {
  CHECK(cut_utf8("a\xe2\x82\xac", 3) == "a");
  CHECK(cut_utf8("a\xe2\x82\xac", 4) == "a\xe2\x82\xac");
}

TEST_CASE("split keeps empty parts") { CHECK(split("a,,b", ',').size() == 3); }
