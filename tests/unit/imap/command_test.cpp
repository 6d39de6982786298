#include "common/imap/command.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postroom::imap;

TEST_CASE("commands are written with their arguments quoted") {
  CHECK(*CommandWriter("p1", "SELECT").mailbox("a \"b\" \\ \xc3\xa4").line() ==
        "p1 SELECT \"a \\\"b\\\" \\\\ &AOQ-\"\r\n");
  CHECK(*CommandWriter("p2", "UID FETCH").uids(std::vector<Uid>{4, 5, 9}).word("(UID FLAGS)").line() ==
        "p2 UID FETCH 4:5,9 (UID FLAGS)\r\n");
  const std::vector<std::string> flags{"\\Seen", "$Imported"};
  CHECK(*CommandWriter("p3", "UID STORE").uids(std::vector<Uid>{4}).word("+FLAGS.SILENT").flags(flags).line() ==
        "p3 UID STORE 4 +FLAGS.SILENT (\\Seen $Imported)\r\n");
}

TEST_CASE("a string that quotes cannot carry becomes a literal") {
  const auto login = [](LiteralMode mode, std::string_view password) {
    return CommandWriter("p1", "LOGIN", mode).string("me").string(password).finish()->parts;
  };
  CHECK(login(LiteralMode::synchronizing, "p\xc3\xa4ss") ==
        std::vector<std::string>{"p1 LOGIN \"me\" {5}\r\n", "p\xc3\xa4ss\r\n"});
  CHECK(login(LiteralMode::plus, "p\xc3\xa4ss") == std::vector<std::string>{"p1 LOGIN \"me\" {5+}\r\np\xc3\xa4ss\r\n"});
  CHECK(login(LiteralMode::minus, "p\xc3\xa4ss").size() == 1);
  CHECK(login(LiteralMode::minus, std::string(4097, 'x')).size() == 2);
  CHECK(login(LiteralMode::plus, std::string(4097, 'x')).size() == 1);
  CHECK(login(LiteralMode::plus, "a\"b\\") == std::vector<std::string>{"p1 LOGIN \"me\" \"a\\\"b\\\\\"\r\n"});
  CHECK(login(LiteralMode::plus, "") == std::vector<std::string>{"p1 LOGIN \"me\" \"\"\r\n"});
}

TEST_CASE("no argument can become a second command") {
  CHECK_FALSE(CommandWriter("p", "SELECT").mailbox("a\r\np2 DELETE INBOX").line());
  CHECK_FALSE(CommandWriter("p", "LOGIN").string("a\r\nb").finish());
  CHECK_FALSE(CommandWriter("p", "LOGIN").string(std::string_view{"a\0b", 3}).finish());
  CHECK_FALSE(CommandWriter("p", "X").word("a\r\nb").line());
  CHECK_FALSE(CommandWriter("p", "X").uids({}).line());
  CHECK_FALSE(CommandWriter("p", "LOGIN").string("\xc3\xa4").line());
  for (const char* flag : {"", "\\", "a b", "a)", "\\Se\r\nen", "\\*", "a\"", "\xc3\xa4"}) {
    CAPTURE(flag);
    const std::vector<std::string> flags{flag};
    CHECK_FALSE(CommandWriter("p", "X").flags(flags).line());
  }
}
