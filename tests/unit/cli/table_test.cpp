#include "api/cli/table.hpp"

#include <doctest/doctest.h>

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
  CHECK(table.text(5) == "T\na [2J…\n01234…\n");
}

TEST_CASE("values are escaped for a query") { CHECK(percent_encoded("a b/\xc3\xa4~") == "a%20b%2F%C3%A4~"); }
