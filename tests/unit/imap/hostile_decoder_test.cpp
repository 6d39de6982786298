#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/unit/imap/describe.hpp"

using namespace postroom::imap;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// Feeds `piece` until the decoder gives up, and tells how much it kept at most.
struct Flood {
  std::size_t fed = 0;
  std::size_t kept = 0;
  std::string error;
};
Flood flood(std::string_view start, std::string_view piece, std::size_t most) {
  Decoder decoder;
  Flood result;
  const auto feed = [&](std::string_view input) {
    result.fed += input.size();
    while (result.error.empty()) {
      const auto response = decoder.next(input);
      result.kept = std::max(result.kept, decoder.kept_byte_count());
      if (!response) result.error = response.error().what();
      if (!response || !*response) return;
    }
  };
  feed(start);
  while (result.error.empty() && result.fed < most) feed(piece);
  return result;
}

}  // namespace

TEST_CASE("what is no IMAP, or could hide a literal, ends the conversation") {
  struct Row {
    std::string bytes;
    std::string_view error;
  };
  for (const Row& row : std::vector<Row>{
           {"HTTP/1.1 400 Bad Request\r\n", "the line is no IMAP response: HTTP/1.1 400 Bad Request\\r\\n"},
           {"a1 BYE\r\n", "the line is no IMAP response: a1 BYE\\r\\n"},
           {"* OK bare\n", "a line ends without CR"},
           {std::string{"* OK \0\r\n", 8}, "a line contains NUL"},
           {"* 1 FETCH (UID 1 BODY[] {4294967295}\r\n",
            "a literal of 4294967295 bytes is announced, 67108864 are allowed"},
           {"* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\n",
            "a literal announces no sensible size: * 1 FETCH (UID 1 BODY[] {99999999999999999999}\\r\\n"},
           {"* 1 FETCH (UID 1 BODY[] {-1}\r\n",
            "a literal announces no sensible size: * 1 FETCH (UID 1 BODY[] {-1}\\r\\n"},
           {"* 1 FETCH (UID 1 BODY[] {5} \r\n",
            "a literal announces no sensible size: * 1 FETCH (UID 1 BODY[] {5} \\r\\n"},
           {"* LIST () \"/\" {65537}\r\n", "a literal of 65537 bytes is announced, 65536 are allowed"},
           {"* 1 FETCH (UID 1 BODY[] {2}\r\nlonger than stated)\r\n", "a value is missing: "},
       }) {
    CAPTURE(row.bytes);
    const std::string all = decode_all(row.bytes);
    const std::string last = all.substr(all.find("error "));
    CHECK(last.substr(6, row.error.size()) == row.error);
    CHECK(decode_bytewise(row.bytes) == all);
  }
}

TEST_CASE("a literal that ends early or late never passes for a whole response") {
  CHECK(decode_all("* 1 FETCH (UID 1 BODY[] {10}\r\nshort)\r\n* ") ==
        "begin 1 uid=1 [] 10\n"
        "chunk short)\r\n* \nend\n");
  const std::string late = decode_all("* 1 FETCH (UID 1 BODY[] {3}\r\nabcdef)\r\n");
  CHECK(late.find("fetch 1") == std::string::npos);
}

TEST_CASE("endless input is refused while little of it is kept") {
  struct Row {
    std::string_view start;
    std::string piece;
  };
  for (const Row& row : std::vector<Row>{
           {"", std::string(4096, 'a')},
           {"* OK ", std::string(4096, 'a')},
           {"* SEARCH ", std::string(4096, '1')},
           {"* 1 FETCH (FLAGS (", repeated("a ", 2048)},
           {"* 1 FETCH (X \"", std::string(4096, '\\')},
           {"* 1 FETCH (X ", std::string(4096, '(')},
           {"* X ", "{1}\r\na "},
           {"* X ", "{60000}\r\n" + std::string(60000, 'x') + " "},
       }) {
    CAPTURE(row.start);
    CAPTURE(row.piece.substr(0, 12));
    const Flood result = flood(row.start, row.piece, 8'000'000);
    CHECK(result.error != "");
    CHECK(result.fed < 400'000);
    CHECK(result.kept < 400'000);
  }
}

TEST_CASE("a flood of short responses is not kept") {
  const Flood result = flood("", "* 1 FETCH (FLAGS (\\Seen))\r\n", 1'000'000);
  CHECK(result.error == "");
  CHECK(result.kept == 0);
}

TEST_CASE("a body is streamed, not kept") {
  const Flood result = flood("* 1 FETCH (UID 1 BODY[] {50000000}\r\n", std::string(65536, 'm'), 49'000'000);
  CHECK(result.error == "");
  CHECK(result.kept < 100);
}

TEST_CASE("parentheses may be nested, but not without end") {
  const auto nested = [](std::size_t depth) {
    return "* X " + std::string(depth, '(') + "a" + std::string(depth, ')') + "\r\n";
  };
  CHECK(decode_all(nested(32)) == "other X\n");
  CHECK(decode_all(nested(33)) == "malformed\n");
}

TEST_CASE("lists have a longest length") {
  CHECK(decode_all("* FLAGS (" + repeated("a ", 4096) + ")\r\n") != "malformed\n");
  CHECK(decode_all("* FLAGS (" + repeated("a ", 4097) + ")\r\n") == "malformed\n");
}

TEST_CASE("once the position is lost, nothing is believed any more") {
  Decoder decoder;
  std::string_view input = "nonsense\r\n* OK fine\r\n";
  CHECK_FALSE(decoder.next(input).ok());
  input = "* OK fine\r\n";
  CHECK_FALSE(decoder.next(input).ok());
}
