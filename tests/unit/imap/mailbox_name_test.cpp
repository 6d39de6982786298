#include "common/imap/mailbox_name.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace postroom::imap;

TEST_CASE("mailbox names go to modified UTF-7 and back") {
  struct Row {
    std::string utf8, wire;
  };
  for (const Row& row : {
           Row{"INBOX", "INBOX"},
           Row{"a&b", "a&-b"},
           Row{"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
           Row{"\xe6\x97\xa5\xe6\x9c\xac", "&ZeVnLA-"},
           Row{"\xf0\x9f\x93\xac/neu", "&2D3c7A-/neu"},
           Row{"\xc3\xa4&\xc3\xb6", "&AOQ-&-&APY-"},
           Row{"quote\" and \\", "quote\" and \\"},
       }) {
    CAPTURE(row.wire);
    CHECK(*encode_mailbox_name(row.utf8) == row.wire);
    CHECK(*decode_mailbox_name(row.wire) == row.utf8);
  }
}

TEST_CASE("names that no server could mean are refused") {
  for (const std::string& name : {std::string{}, std::string{"a\r\nb"}, std::string{"a\0b", 3}, std::string{"\x7f"},
                                  std::string{"\xff"}, std::string(1001, 'x')}) {
    CHECK_FALSE(encode_mailbox_name(name));
  }
  CHECK(encode_mailbox_name(std::string(1000, 'x')));
}

TEST_CASE("names on the wire that we would write another way are refused, since they could not be sent back") {
  for (const char* wire :
       {"a&b", "&", "&AOQ", "&AOR-", "&AGE-", "&2D0-", "&3Kw-", "&!!!-", "&AOQ-&APY-", "&AA0-", "caf\xc3\xa9"}) {
    CAPTURE(wire);
    CHECK_FALSE(decode_mailbox_name(wire));
  }
}
