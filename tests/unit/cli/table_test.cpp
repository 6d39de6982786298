#include "api/cli/table.hpp"

#include <doctest/doctest.h>

#include "api/cli/find.hpp"
#include "api/cli/frame.hpp"

using namespace postroom::cli;

TEST_CASE("columns are as wide as their longest cell, in code points") {
  Table table{{"A", "B"}};
  CHECK(table.is_empty());
  table.add({"\xc3\xa4\xc3\xb6\xc3\xbc", "x"});
  table.add({"a", ""});
  CHECK(table.text() == "A    B\n\xc3\xa4\xc3\xb6\xc3\xbc  x\na\n");
}

TEST_CASE("what others wrote cannot move the cursor, and is cut") {
  Table table{{"T"}};
  table.add({"a\x1b[2Jb\nc"});
  table.add({"0123456789"});
  table.add({"a\xc2\x9b" "2Jb\xc2\xa0"});
  CHECK(table.text(5) == "T\na [2J…\n01234…\na 2Jb…\n");
}

TEST_CASE("the last column takes what is left of the line, but never next to nothing") {
  Table table{{"A", "TITLE"}};
  table.add({"0123456789", "abcdefghijklmnopqrstuvwxyz0123456789"});
  CHECK(table.text(8, 40) == "A          TITLE\n01234567…  abcdefghijklmnopqrstuvwxyz01…\n");
  CHECK(table.text(80, 200) == "A           TITLE\n0123456789  abcdefghijklmnopqrstuvwxyz0123456789\n");
  CHECK(table.text(80, 48) == "A           TITLE\n0123456789  abcdefghijklmnopqrstuvwxyz0123456789\n");
  CHECK(table.text(80, 47) == "A           TITLE\n0123456789  abcdefghijklmnopqrstuvwxyz01234567…\n");
  CHECK(table.text(80, 5) == "A           TITLE\n0123456789  abcdefghijklmnopqrs…\n");
}

TEST_CASE("a thing is meant by its id, its name, or its name in other letters; what may mean two is not guessed") {
  const std::vector<Named> boards{{"id-1", "Support"}, {"id-2", "Sales"}, {"id-3", "sales"}, {"id-4", "Lamps"}};
  CHECK(*choose(boards, "board", "id-4") == "id-4");
  CHECK(*choose(boards, "board", "Lamps") == "id-4");
  CHECK(*choose(boards, "board", "lAMPS") == "id-4");
  CHECK(*choose(boards, "board", "Sales") == "id-2");
  CHECK(*choose(boards, "board", "sales") == "id-3");
  const auto either = choose(boards, "board", "SALES");
  REQUIRE_FALSE(either.ok());
  CHECK(either.error().code() == postroom::Code::conflict);
  CHECK(either.error().text() == "SALES may be any of Sales (id-2), sales (id-3): give the id");
  const auto none = choose(boards, "board", "Desk");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().text() == "there is no board named Desk; there are Support (id-1), Sales (id-2), sales (id-3), Lamps (id-4)");
  CHECK(choose({}, "inbox", "x").error().text() == "there is no inbox named x; there are none");
  CHECK(choose(std::vector<Named>(12, {"i", "n"}), "board", "x").error().text().ends_with("n (i) and 2 more"));
}

TEST_CASE("values are escaped for a query") { CHECK(percent_encoded("a b/\xc3\xa4~") == "a%20b%2F%C3%A4~"); }
