#include "common/base/text.hpp"

#include <doctest/doctest.h>

using namespace postroom;

TEST_CASE("json_escaped sees every byte wherever it stands") {
  const std::string plain = "abcdefghijklmnopq";
  for (int c = 0; c < 256; ++c) {
    const std::string one(1, static_cast<char>(c));
    const bool is_itself = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    const std::string alone = json_escaped(one);
    CHECK((alone == one) == is_itself);
    for (std::size_t at = 0; at <= plain.size(); ++at) {
      CHECK(json_escaped(plain.substr(0, at) + one + plain.substr(at)) == plain.substr(0, at) + alone + plain.substr(at));
    }
  }
  CHECK(json_escaped("") == "");
  CHECK(json_escaped(plain) == plain);
}

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
  CHECK(cut_utf8("\xf0\x9f\x98\x80", 3).empty());
  CHECK(cut_utf8("a\x82\x82\x82\x82\x82\x82\x82", 6).size() >= 3);  // no text, but not nothing either
}

TEST_CASE("split keeps empty parts") { CHECK(split("a,,b", ',').size() == 3); }

TEST_CASE("text that leaves the house has no control characters and only LF line ends") {
  CHECK(plain_text("a\r\nb\rc\n\td\x01\x7f") == "a\nb\nc\n d");
  CHECK(plain_text("x\xed\xa0\x80y\xffz") == "xyz");          // a lone surrogate, a stray byte
  CHECK(plain_text("a\xc2\x85" "b\xc2\xa0" "c") == "ab\xc2\xa0" "c");  // NEL goes, a no-break space stays
  CHECK(plain_text("a\xef\xbf\xbe" "b\xef\xbf\xbf") == "ab");
  CHECK(on_one_line("  a \r\n\t b\n\n") == "a b");
}

TEST_CASE("lengths and cuts in UTF-16 units keep code points whole") {
  CHECK(utf16_length("aä€😀") == 5);
  CHECK(cut_utf16("aä€😀", 5) == "aä€😀");
  CHECK(cut_utf16("aä€😀", 4) == "aä€");
  CHECK(cut_utf16("aä€😀", 2) == "aä");
  CHECK(cut_utf16("abc", 0).empty());
}
