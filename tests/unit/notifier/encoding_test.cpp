#include <doctest/doctest.h>

#include <algorithm>

#include "common/mail/encoded_word.hpp"
#include "common/mail/transfer_encoding.hpp"
#include "tests/unit/notifier/a_grant.hpp"
#include "workers/notifier/conversation/encoding.hpp"

using namespace postroom;
using namespace postroom::notifier;

namespace {

std::string read_back(std::string_view header_value) { return mail::decode_header(header_value, as_utf8); }

// RFC 2045 6.7, strictly: what is no quoted-printable fails the test.
std::string read_quoted_printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    REQUIRE(end != std::string_view::npos);
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    CHECK(line.size() <= 76);
    const bool is_soft = line.ends_with('=');
    if (is_soft) line.remove_suffix(1);
    CHECK_FALSE(line.ends_with(' '));
    CHECK_FALSE(line.starts_with('.'));
    CHECK_FALSE(line.starts_with("From "));
    for (std::size_t i = 0; i < line.size(); ++i) {
      CHECK((line[i] >= ' ' && line[i] < 0x7f));
      if (line[i] != '=') {
        out.push_back(line[i]);
        continue;
      }
      out.push_back(static_cast<char>(std::stoi(std::string{line.substr(i + 1, 2)}, nullptr, 16)));
      i += 2;
    }
    if (!is_soft) out.push_back('\n');
  }
  return out;
}

const char* const texts[] = {"",
                             "Printer on fire",
                             "Drucker brennt: Gr\xc3\xbc\xc3\x9f" "e aus K\xc3\xb6ln",
                             "\xe3\x83\x97\xe3\x83\xaa\xe3\x83\xb3\xe3\x82\xbf\xe3\x83\xbc\xe3\x81\x8c\xe7\x81\xab\xe4\xba\x8b\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82"
                             "\xe3\x83\x97\xe3\x83\xaa\xe3\x83\xb3\xe3\x82\xbf\xe3\x83\xbc\xe3\x81\x8c\xe7\x81\xab\xe4\xba\x8b\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82",
                             "\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5",
                             "looks like =?utf-8?Q?an_encoded_word?= and is none",
                             "a = b, 100 % \"quoted\" \\ <tag>"};

}  // namespace

TEST_CASE("header text is read back as it was, in lines that may be sent") {
  for (const char* text : texts) {
    CAPTURE(text);
    const std::string line = field("Subject", "[#1] Re: " + header_text(text));
    CHECK(has_sound_lines(line, 78));
    CHECK(std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
    CHECK(read_back(line.substr(9)) == std::string{mail::without_control_bytes("[#1] Re: " + std::string{text})});
  }
  CHECK(header_text("Printer on fire") == "Printer on fire");
}

TEST_CASE("long header text is folded, and cut where it has no blanks") {
  std::string words;
  for (int i = 0; i < 60; ++i) words += "word" + std::to_string(i) + " ";
  words.pop_back();
  CHECK(has_sound_lines(field("Subject", header_text(words)), 78));
  CHECK(read_back(field("Subject", header_text(words)).substr(9)) == words);
  const std::string block(3'000, 'x');
  CHECK(has_sound_lines(field("Subject", header_text(block)), 78));
  CHECK(read_back(field("Subject", header_text(block)).substr(9)) == block);
}

TEST_CASE("a field is one field, whatever its value says") {
  CHECK(field("Subject", "a\r\nBcc: eve@example.org\r\n\r\nbody") == "Subject: a Bcc: eve@example.org body\r\n");
  CHECK(field("X", "") == "X: \r\n");
}

TEST_CASE("a mailbox is read back as name and address") {
  const char* const names[] = {"Acme Support", "Acme, Inc. (Support)", "\"Ann\" <eve@example.org>", "J\xc3\xb6rg \xc3\x85ngstr\xc3\xb6m", "back\\slash", "ann@example.org",
                               "x\r\nBcc: eve@example.org"};
  for (const char* name : names) {
    CAPTURE(name);
    const auto read = mail::parse_addresses(field("From", mailbox(name, "ann@example.org")).substr(6), as_utf8);
    REQUIRE(read.size() == 1);
    CHECK(read[0].addr == "ann@example.org");
    CHECK_FALSE(read[0].name.empty());
  }
  CHECK(mailbox("", "ann@example.org") == "ann@example.org");
  CHECK(mailbox("Acme \"A\"", "ann@example.org") == "\"Acme \\\"A\\\"\" <ann@example.org>");
}

TEST_CASE("quoted-printable is read back as it was, and relays find nothing to change") {
  const std::string bodies[] = {"plain\n",
                                "trailing blank \n\n.\n..\n.hidden\nFrom here\n>From there\n-- \nend\n",
                                std::string(500, 'x') + "\n",
                                std::string(300, '.') + "\n",
                                std::string(74, 'x') + ".\n" + std::string(75, 'x') + ".\n" + std::string(76, 'x') + "From \n" + std::string(75, 'x') + "From\n",
                                "Gr\xc3\xbc\xc3\x9f" "e = 100 %\n",
                                "tab\there\n"};
  for (const auto& body : bodies) {
    CAPTURE(body);
    CHECK(read_quoted_printable(quoted_printable(body)) == body);
  }
  CHECK(read_quoted_printable(quoted_printable("no line end")) == "no line end\n");
  CHECK(quoted_printable("").empty());
}

TEST_CASE("base64 is read back as it was") {
  for (std::size_t size = 0; size < 130; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 7));
    CHECK(has_sound_lines(base64_lines(bytes), 76));
    CHECK(mail::decode_base64(base64_lines(bytes)) == bytes);
  }
  CHECK(base64_lines("a") == "YQ==\r\n");
}

TEST_CASE("a part is encoded the shorter way") {
  CHECK(text_part("text/plain", "Hello\n") == "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello\r\n");
  CHECK(text_part("text/plain", texts[3]).find("base64") != std::string::npos);
}

TEST_CASE("nothing in escaped text is markup") {
  CHECK(html_escaped("<script>alert(\"1\" & '2')</script>") == "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
  CHECK(html_escaped("a\n  b  c") == "a<br>\n&nbsp;&nbsp;b &nbsp;c");
}
