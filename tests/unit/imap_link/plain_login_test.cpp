#include <doctest/doctest.h>

#include "common/imap_link/plain_login.hpp"

using namespace postroom::imap_link;

TEST_CASE("LOGIN with words that fit into quotes is one line, and the answer may come in any pieces") {
  auto login = PlainLogin::with({"imap://x", "desk", "a \"b\" \\c"});
  REQUIRE(login.ok());
  CHECK(login->next_part() == "L1 LOGIN \"desk\" \"a \\\"b\\\" \\\\c\"\r\n");
  CHECK_FALSE(login->on_bytes("* OK still thinking\r\nL1 O").verdict.has_value());
  const auto heard = login->on_bytes("K [CAPABILITY IMAP4rev1] in\r\n* 1 EXISTS\r\n");
  CHECK(heard.is_in);
  CHECK(heard.verdict == "L1 OK [CAPABILITY IMAP4rev1] in");
  CHECK(heard.rest == "* 1 EXISTS\r\n");
}

TEST_CASE("a password that is not ASCII goes as a literal, when the server asks for it") {
  auto login = PlainLogin::with({"imap://x", "desk", "gr\xc3\xbcn"});
  REQUIRE(login.ok());
  CHECK(login->next_part() == "L1 LOGIN \"desk\" {5}\r\n");
  CHECK(login->on_bytes("+ go on\r\n").wants_part);
  CHECK(login->next_part() == "gr\xc3\xbcn\r\n");
  CHECK_FALSE(login->on_bytes("+ more?\r\n").verdict.has_value());
  CHECK(login->next_part().empty());
  CHECK_FALSE(login->on_bytes("L1 NO wrong\r\n").is_in);
}

TEST_CASE("what is no answer, or none of this command, logs nobody in") {
  for (const char* words : {"L10 OK in\r\n", "L1OK in\r\n", "* OK L1 OK\r\n", "+ OK\r\n"}) {
    auto login = PlainLogin::with({"imap://x", "desk", "x"});
    CHECK_FALSE(login->on_bytes(words).verdict.has_value());
  }
  auto gone = PlainLogin::with({"imap://x", "desk", "x"});
  const auto bye = gone->on_bytes("* BYE too many\r\n");
  CHECK(bye.verdict == "* BYE too many");
  CHECK_FALSE(bye.is_in);
  auto endless = PlainLogin::with({"imap://x", "desk", "x"});
  const auto heard = endless->on_bytes(std::string(70'000, 'a'));
  CHECK(heard.verdict.has_value());
  CHECK_FALSE(heard.is_in);
  CHECK_FALSE(PlainLogin::with({"imap://x", "de\r\nsk", "x"}).ok());
}
