#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/imap/describe.hpp"

using namespace postroom::imap;

namespace {

struct Row {
  std::string_view bytes;
  std::string_view events;
};

// However the bytes are cut, the same must come out.
void check(const Row& row) {
  CAPTURE(row.bytes);
  CHECK(decode_all(row.bytes) == row.events);
  CHECK(decode_bytewise(row.bytes) == row.events);
  for (std::size_t cut = 0; cut <= row.bytes.size(); ++cut) {
    if (decode_all(row.bytes, {cut}) != row.events) FAIL("another answer when cut after byte " << cut);
  }
}

}  // namespace

TEST_CASE("status responses carry tag, condition, code and text") {
  for (const Row& row : std::vector<Row>{
           {"* OK ready\r\n", "* ok ready\n"},
           {"* OK\r\n", "* ok\n"},
           {"* PREAUTH [CAPABILITY IMAP4rev1 idle] hello\r\n", "* preauth [CAPABILITY IMAP4REV1|IDLE] hello\n"},
           {"* BYE too long idle\r\n", "* bye too long idle\n"},
           {"a1 OK [READ-ONLY] done\r\n", "a1 ok [READ-ONLY] done\n"},
           {"a1 no [TRYCREATE] there is none\r\n", "a1 no [TRYCREATE] there is none\n"},
           {"a1 BAD what?\r\n", "a1 bad what?\n"},
           {"* OK [UIDVALIDITY 4294967295] valid\r\n", "* ok [UIDVALIDITY 4294967295] valid\n"},
           {"* OK [UIDNEXT 12] next\r\n", "* ok [UIDNEXT 12] next\n"},
           {"* OK [HIGHESTMODSEQ 9223372036854775807]\r\n", "* ok [HIGHESTMODSEQ 9223372036854775807]\n"},
           {"* OK [PERMANENTFLAGS (\\Seen \\*)] limited\r\n", "* ok [PERMANENTFLAGS \\Seen|\\*] limited\n"},
           {"a OK [COPYUID 7 3,5:6 11:13] copied\r\n", "a ok [COPYUID 7 3,5:6->11:13] copied\n"},
           {"a OK [APPENDUID 7 9] added\r\n", "a ok [APPENDUID 7 ->9] added\n"},
           {"* NO [ALERT] disk {5}\r\n", "* no [ALERT] disk {5}\n"},
           {"* OK [BADCHARSET (\"a]b\")] x\r\n", "* ok [BADCHARSET] x\n"},
       }) {
    check(row);
  }
}

TEST_CASE("a code that lacks what it should carry is no reason to hang up") {
  for (const Row& row : std::vector<Row>{
           {"* OK [UIDVALIDITY] x\r\n", "* ok [UIDVALIDITY] x\n"},
           {"* OK [UIDNEXT 99999999999999999999] x\r\n", "* ok [UIDNEXT] x\n"},
           {"* OK [COPYUID 7 0 1] x\r\n", "* ok [COPYUID] x\n"},
           {"* OK [never closed\r\n", "* ok [never closed\n"},
       }) {
    check(row);
  }
}

TEST_CASE("untagged data of every kind") {
  for (const Row& row : std::vector<Row>{
           {"* 23 EXISTS\r\n* 0 RECENT\r\n* 4 EXPUNGE\r\n", "exists 23\nrecent 0\nexpunge 4\n"},
           {"* CAPABILITY IMAP4rev1 IDLE LITERAL+ \r\n", "capability IMAP4REV1|IDLE|LITERAL+\n"},
           {"* ENABLED CONDSTORE\r\n", "enabled CONDSTORE\n"},
           {"* FLAGS (\\Answered $Junk)\r\n* FLAGS ()\r\n", "flags \\Answered|$Junk\nflags \n"},
           {"* VANISHED (EARLIER) 300:310,405\r\n* vanished 7\r\n", "vanished earlier 300:310,405\nvanished 7\n"},
           {"* SEARCH\r\n* SEARCH 2 84 882\r\n* SEARCH 5 (MODSEQ 917) \r\n",
            "search \nsearch 2,84,882\nsearch 5 modseq=917\n"},
           {"* ESEARCH (TAG \"a2\") UID MIN 4 MAX 9 COUNT 2 ALL 4,9 MODSEQ 12 X (y z)\r\n",
            "esearch tag=a2 uid=true min=4 max=9 count=2 all=4,9 modseq=12\n"},
           {"* ESEARCH\r\n", "esearch tag= uid=false\n"},
           {"* LIST (\\HasNoChildren) \"/\" \"Sent Items\"\r\n", "list \\HasNoChildren / Sent Items\n"},
           {"* LIST () NIL INBOX\r\n", "list  nil INBOX\n"},
           {"* LSUB () \".\" {5}\r\na\"b\\c (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n", "list  . a\"b\\c\n"},
           {"* XUNKNOWN a (b \"c\\\"\" {3}\r\nxyz (d)) NIL\r\n", "other XUNKNOWN\n"},
           {"* 4 XTHING 5\r\n", "other XTHING\n"},
           {"+ go on\r\n+\r\n", "+ go on\n+ \n"},
       }) {
    check(row);
  }
}

TEST_CASE("FETCH hands out the body before the rest of the response") {
  using namespace std::string_view_literals;
  for (const Row& row : std::vector<Row>{
           {"* 12 FETCH (UID 44 FLAGS (\\Seen) INTERNALDATE \" 1-Jul-2026 02:44:25 -0700\" RFC822.SIZE 4286 MODSEQ "
            "(624))\r\n",
            "fetch 12 uid=44 size=4286 at=2026-07-01T09:44:25.000000Z modseq=624 flags=\\Seen\n"},
           {"* 1 FETCH (UID 7 BODY[] {8}\r\na\r\n)\r\nb) FLAGS ())\r\n",
            "begin 1 uid=7 [] 8\nchunk a\r\n)\r\nb)\nend\nfetch 1 uid=7 flags= body[]=streamed:8\n"},
           {"* 1 FETCH (BODY[] {2}\r\nhi UID 7)\r\n",
            "begin 1 uid=? [] 2\nchunk hi\nend\nfetch 1 uid=7 body[]=streamed:2\n"},
           {"* 1 FETCH (UID 7 BODY[] {0}\r\n)\r\n",
            "begin 1 uid=7 [] 0\nchunk \nend\nfetch 1 uid=7 body[]=streamed:0\n"},
           {"* 1 FETCH (UID 7 BINARY[1] ~{3}\r\na\0b)\r\n"sv,
            "begin 1 uid=7 [1] 3\nchunk a\0b\nend\nfetch 1 uid=7 body[1]=streamed:3\n"sv},
           {"* 1 FETCH (UID 7 BODY[] \"a \\\"b\\\"\" BODY[2] NIL)\r\n",
            "fetch 1 uid=7 body[]=quoted:5:a \"b\" body[2]=nil:0\n"},
           {"* 1 FETCH (UID 7 body[header]<0> {1}\r\nx)\r\n",
            "begin 1 uid=7 [HEADER] 1\nchunk x\nend\nfetch 1 uid=7 body[HEADER]=streamed:1\n"},
           {"* 1 FETCH (BODY[HEADER.FIELDS (TO \"X-a\")]<0> {1}\r\nx UID 3)\r\n",
            "begin 1 uid=? [HEADER.FIELDS (TO \"X-A\")] 1\nchunk x\nend\nfetch 1 uid=3 body[HEADER.FIELDS (TO "
            "\"X-A\")]=streamed:1\n"},
           {"* 1 FETCH (RFC822.HEADER {1}\r\nh RFC822.TEXT {1}\r\nt)\r\n",
            "begin 1 uid=? [HEADER] 1\nchunk h\nend\nbegin 1 uid=? [TEXT] 1\nchunk t\nend\nfetch 1 "
            "body[HEADER]=streamed:1 body[TEXT]=streamed:1\n"},
           {"* 1 FETCH (ENVELOPE (NIL {4}\r\na\"(b ((\"x\" NIL \"y\" \"z\")) NIL) BODYSTRUCTURE (\"TEXT\" \"PLAIN\" "
            "(\"A\" \"B\") 3) UID 9)\r\n",
            "fetch 1 uid=9\n"},
           {"* 1 FETCH (UID 7 INTERNALDATE \"yesterday\" X-GM-MSGID 12 EMAILID (M1) )\r\n", "fetch 1 uid=7\n"},
       }) {
    check(row);
  }
}

TEST_CASE("an untagged line without sense is reported and the next ones are read") {
  for (const Row& row : std::vector<Row>{
           {"* 3 FETCH (UID zero)\r\n* 4 EXISTS\r\n", "malformed\nexists 4\n"},
           {"* 0 EXPUNGE\r\n", "malformed\n"},
           {"* 5 FETCH (UID 6 UID 7)\r\n", "malformed\n"},
           {"* 5 FETCH UID 6\r\n", "malformed\n"},
           {"* SEARCH 1 2 x\r\n", "malformed\n"},
           {"* SEARCH 4294967296\r\n", "malformed\n"},
           {"* 4294967296 EXISTS\r\n", "other 4294967296\n"},
           {"* VANISHED 5:*\r\n", "malformed\n"},
           {"* LIST (a \"/\" x\r\n", "malformed\n"},
           {"* FLAGS (\\Seen) more\r\n", "malformed\n"},
           {"* \r\n", "malformed\n"},
       }) {
    check(row);
  }
}

TEST_CASE("a SEARCH answer longer than any line is handed out in parts, wherever the bytes are cut") {
  std::string bytes = "* SEARCH";
  for (int uid = 1; uid <= 40'000; ++uid) bytes += " " + std::to_string(uid);
  bytes += " (MODSEQ 12)\r\n* 1 EXISTS\r\n";
  const std::string whole = decode_all(bytes);
  CHECK(decode_bytewise(bytes) == whole);
  Decoder decoder;
  std::string_view input = bytes;
  std::uint32_t expected = 0;
  int parts = 0;
  std::size_t kept = 0;
  while (true) {
    const auto response = decoder.next(input);
    REQUIRE(response.ok());
    if (!*response) break;
    kept = std::max(kept, decoder.kept_byte_count());
    const auto* search = std::get_if<Search>(&**response);
    if (search == nullptr) continue;
    ++parts;
    for (const std::uint32_t number : search->numbers) REQUIRE(number == ++expected);
    CHECK(search->is_last == (expected == 40'000 && search->mod_sequence == 12));
  }
  CHECK(expected == 40'000);
  CHECK(parts > 10);
  CHECK(kept < 2 * search_part_bytes);
  CHECK(whole.ends_with("exists 1\n"));
}
