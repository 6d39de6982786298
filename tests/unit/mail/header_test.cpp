#include <doctest/doctest.h>

#include "common/base/text.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/parameters.hpp"
#include "common/mail/transfer_encoding.hpp"

using namespace postroom::mail;

namespace {

// UTF-8 and Latin-1 are enough here; the real one is tested with the sandbox.
std::string charset(std::string_view bytes, std::string_view label) {
  if (label == "utf-8" || (label.empty() && postroom::is_valid_utf8(bytes))) return postroom::to_valid_utf8(bytes);
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xc0 | byte >> 6));
      out.push_back(static_cast<char>(0x80 | (byte & 0x3f)));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("encoded words are decoded, also the broken ones") {
  struct Case {
    std::string_view raw;
    std::string_view expected;
  };
  const Case cases[] = {
      {"plain", "plain"},
      {"=?utf-8?Q?Caf=C3=A9_au_lait?=", "Café au lait"},
      {"=?UTF-8?B?Q2Fmw6k=?=", "Café"},
      {"=?iso-8859-1?q?Caf=E9?= menu", "Café menu"},
      {"=?utf-8?Q?Caf=C3=A9?=\r\n =?utf-8?Q?_noir?=", "Café noir"},
      {"a =?utf-8?Q?b?= c", "a b c"},
      {"=?utf-8?Q?Caf=C3?= =?utf-8?Q?=A9?=", "Café"},  // a character cut in two
      {"=?utf-8*fr?Q?Caf=C3=A9?=", "Café"},            // RFC 2231 language
      {"=?utf-8?Q?two words?=", "two words"},          // a raw blank inside
      {"=?utf-8?X?abc?=", "=?utf-8?X?abc?="},          // no such encoding
      {"=?utf-8?Q?never ends", "=?utf-8?Q?never ends"},
      {"=?utf-8?B?Q2Fmw6k?=", "Café"},            // padding forgotten
      {"=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"},  // no line breaks come out
      {"Caf\xe9", "Café"},                        // raw Latin-1
      {"one\r\n\ttwo", "one two"},
      {"=??Q?a?=", "a"},
      {"50% =? nothing", "50% =? nothing"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.raw);
    CHECK(decode_header(one.raw, charset) == one.expected);
  }
}

TEST_CASE("300,000 encoded words take linear time and stay bounded") {
  std::string raw;
  for (int i = 0; i < 300'000; ++i) raw += "=?utf-8?Q?x?= ";
  CHECK(decode_header(raw, charset).size() <= longest_header_text + 300'000);
  std::string mixed;
  for (int i = 0; i < 100'000; ++i) mixed += i % 2 == 0 ? "=?utf-8?Q?x?= " : "=?latin1?Q?y?= ";
  CHECK(decode_header(mixed, charset).size() <= longest_header_text);
  std::string endless;
  for (int i = 0; i < 40'000; ++i) endless += "=?a?Q?";
  CHECK(decode_header(endless, charset).size() <= longest_header_text);
}

TEST_CASE("parameters follow RFC 2045 and RFC 2231, and what clients make of them") {
  struct Case {
    std::string_view raw;
    std::string_view name;
    std::string_view expected;
  };
  const Case cases[] = {
      {"multipart/mixed; boundary=\"a;b\"", "boundary", "a;b"},
      {"attachment; filename=plan.pdf", "filename", "plan.pdf"},
      {"attachment; filename=my plan.pdf", "filename", "my plan.pdf"},
      {"attachment; filename=\"a \\\"b\\\".txt\"", "filename", "a \"b\".txt"},
      {"attachment; filename*=utf-8''%E2%82%AC%20rates", "filename", "€ rates"},
      {"attachment; filename*=iso-8859-1'de'Gr%FC%DFe.txt", "filename", "Grüße.txt"},
      {"attachment; filename*0*=utf-8''%E2%82; filename*1*=%AC; filename*2=.txt", "filename", "€.txt"},
      {"attachment; filename*1=b; filename*0=a", "filename", "ab"},
      {"attachment; filename*0=a; filename*2=c", "filename", "a"},
      {"attachment; filename=plain; filename*=utf-8''better", "filename", "better"},
      {"attachment; filename=\"=?utf-8?Q?Gr=C3=BC=C3=9Fe.txt?=\"", "filename", "Grüße.txt"},
      {"attachment; FILENAME = x", "filename", "x"},
      {"attachment; filename=first; filename=second", "filename", "first"},
      {"attachment", "filename", ""},
      {"attachment; filename=\"open", "filename", "open"},
      {"text/plain; charset=us-ascii (plain)", "charset", "us-ascii (plain)"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.raw);
    CHECK(parse_parameters(one.raw, charset).get(one.name) == one.expected);
  }
  CHECK(parse_parameters(" Text/HTML ;x=1", charset).value == "text/html");
  CHECK(parse_parameters("multipart/mixed; n\xc3\xa4me=x", charset).has_foreign_names);
}

TEST_CASE("100,000 parameters are counted, not kept") {
  std::string raw = "text/plain";
  for (int i = 0; i < 100'000; ++i) raw += ";name*" + std::to_string(i) + "*=x";
  const Parameters parsed = parse_parameters(raw, charset);
  CHECK(parsed.count == 100'000);
  CHECK(parsed.entries.size() <= most_parameters);
}

TEST_CASE("header blocks are cut into fields with their folds") {
  const HeaderBlock block = split_header_block("A: 1\r\nB: two\r\n lines\r\n\r\nbody: no\r\n", 100);
  REQUIRE(block.fields.size() == 2);
  CHECK(block.fields[0].name == "A");
  CHECK(unfolded(block.fields[1].value) == "two lines");
  CHECK(block.byte_count == 24);
}

TEST_CASE("a broken header block ends where the body must begin") {
  CHECK(split_header_block("hello there\nA: 1\n\n", 9).byte_count == 0);  // no header at all
  const HeaderBlock wrapped = split_header_block("A: one\ntwo without a fold\nB: 2\n\nx", 9);
  REQUIRE(wrapped.fields.size() == 2);
  CHECK(unfolded(wrapped.fields[0].value) == "one two without a fold");
  const std::string_view no_blank = "A: 1\nhello, this is text\nmore text\n";
  CHECK(no_blank.substr(split_header_block(no_blank, 9).byte_count) == "hello, this is text\nmore text\n");
  CHECK(split_header_block("A: 1", 9).byte_count == 4);
  CHECK(split_header_block("A : 1\n\n", 9).fields[0].name == "A");
}

TEST_CASE("content encodings are read leniently") {
  CHECK(decode_base64("aGVs bG8\r\n=") == "hello");
  CHECK(decode_base64("aGVsbG8=d29ybGQ=") == "helloworld");
  CHECK(decode_base64("!!") == "");
  CHECK(decode_q("a=3Db_c=4") == "a=b c=4");
  CHECK(decode_percent("a%20b%zz%") == "a b%zz%");
}
