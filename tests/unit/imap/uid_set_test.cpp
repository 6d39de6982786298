#include "common/imap/uid_set.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace postroom::imap;

TEST_CASE("a UID set is read with its ranges either way round") {
  CHECK(*parse_uid_set("3,9:7,4294967295", 10) == UidSet{{3, 3}, {7, 9}, {4294967295, 4294967295}});
  CHECK(count_of(*parse_uid_set("1:4294967295,5", 10)) == 4294967296);
}

TEST_CASE("what is no UID set is refused") {
  for (const char* text :
       {"", "0", "1,", ",1", "1:", ":1", "1:2:3", "*", "1:*", "4294967296", "-1", "1 2", "a", "0:5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uid_set(text, 10));
  }
  CHECK(parse_uid_set("1,2,3", 3));
  CHECK_FALSE(parse_uid_set("1,2,3,4", 3));
}

TEST_CASE("neighbours are written as ranges") {
  CHECK(to_text(std::vector<Uid>{1, 2, 3, 7, 9, 10}) == "1:3,7,9:10");
  CHECK(to_text(std::vector<Uid>{4294967294, 4294967295}) == "4294967294:4294967295");
  CHECK(to_text(std::vector<Uid>{}) == "");
}

TEST_CASE("numbers end where their limit is") {
  CHECK(parse_number("18446744073709551615", 18446744073709551615u) == 18446744073709551615u);
  CHECK_FALSE(parse_number("18446744073709551616", 18446744073709551615u));
  CHECK(parse_number("5", 5) == 5u);
  CHECK_FALSE(parse_number("6", 5));
  CHECK(parse_number("0000005", 5) == 5u);
  CHECK_FALSE(parse_number("", 5));
}
