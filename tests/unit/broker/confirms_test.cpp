#include "common/broker/confirms.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using postroom::broker::Confirms;

namespace {

struct Book {
  Confirms<std::string> confirms;
  std::vector<std::string> settled;

  void write(std::initializer_list<const char*> items) {
    for (const auto* item : items) confirms.written(item, 10);
  }
  std::vector<std::string> settle(std::uint64_t tag, bool multiple) {
    settled.clear();
    confirms.settle(tag, multiple, [this](const std::string& item) { settled.push_back(item); });
    return settled;
  }
};

using Items = std::vector<std::string>;

}  // namespace

TEST_CASE("confirms come in any order, and multiple settles all that is left before it") {
  Book book;
  book.write({"a", "b", "c", "d", "e"});
  CHECK(book.settle(3, false) == Items{"c"});
  CHECK(book.confirms.bytes() == 40);
  CHECK(book.settle(4, true) == Items{"a", "b", "d"});
  CHECK(book.confirms.bytes() == 10);
  CHECK(book.settle(5, false) == Items{"e"});
  CHECK(book.confirms.empty());
  book.write({"f"});
  CHECK(book.settle(6, false) == Items{"f"});
}

TEST_CASE("a word on a settled, unknown or future tag changes nothing") {
  Book book;
  book.write({"a", "b"});
  CHECK(book.settle(1, false) == Items{"a"});
  CHECK(book.settle(1, false).empty());
  CHECK(book.settle(1, true).empty());
  CHECK(book.settle(3, true).empty());
  CHECK(book.settle(3, false).empty());
  CHECK(book.settle(0, false).empty());
  CHECK(book.confirms.bytes() == 10);
}

TEST_CASE("tag zero with multiple means everything") {
  Book book;
  book.write({"a", "b"});
  CHECK(book.settle(0, true) == Items{"a", "b"});
  CHECK(book.settle(0, true).empty());
}

TEST_CASE("a lost link hands back what is unsettled, in order, and tags start anew") {
  Book book;
  book.write({"a", "b", "c"});
  (void)book.settle(2, false);
  const auto left = book.confirms.take_all();
  CHECK(Items{left.begin(), left.end()} == Items{"a", "c"});
  CHECK(book.confirms.empty());
  book.write({"a"});
  CHECK(book.settle(1, false) == Items{"a"});
}

TEST_CASE("an unsettled item can be found") {
  Book book;
  book.write({"a", "b", "b"});
  (void)book.settle(2, false);
  auto* found = book.confirms.find([](const std::string& item) { return item == "b"; });
  REQUIRE(found != nullptr);
  *found = "seen";
  CHECK(book.confirms.find([](const std::string& item) { return item == "b"; }) == nullptr);
  CHECK(book.settle(3, false) == Items{"seen"});
}
