#include <doctest/doctest.h>

#include "common/mail/duplicate.hpp"
#include "common/mail/plain_text.hpp"
#include "common/mail/subject.hpp"

using namespace postroom::mail;

TEST_CASE("text bodies are normalised") {
  CHECK(normalised_text("\r\n\r\n  a\r\nb\rc\n\n ") == "  a\nb\nc");
  CHECK(normalised_text(std::string_view{"a\0b\x1b[31m\tc", 10}) == "ab[31m\tc");
  CHECK(normalised_text(" \n\t ") == "");
}

TEST_CASE("flowed text is joined again") {
  CHECK(unflowed("one \ntwo\nthree", false) == "one two\nthree\n");
  CHECK(unflowed("one \ntwo", true) == "onetwo\n");
  CHECK(unflowed("> a \n> b\nc", false) == "> a b\nc\n");
  CHECK(unflowed(">> a \n> b", false) == ">> a \n> b\n");
  CHECK(unflowed(" stuffed", false) == "stuffed\n");
  CHECK(unflowed("x\n-- \nAnn", false) == "x\n-- \nAnn\n");
}

TEST_CASE("case does not matter for comparisons") {
  CHECK(folded_case("ÄÖÜ ÉÑ ŁŻ ΑΒΓ ПРИНТЕР Ёж") == "äöü éñ łż αβγ принтер ёж");
  CHECK(folded_case("漢字 ×÷ß") == "漢字 ×÷ß");
  CHECK(comparable("  Hello \t World\n") == "hello world");
}

TEST_CASE("prefixes of subjects are known in many languages") {
  struct Case {
    std::string_view subject;
    std::string_view rest;
    bool is_reply;
    bool is_forward;
  };
  const Case cases[] = {
      {"Printer", "Printer", false, false},
      {"Re: Printer", "Printer", true, false},
      {"RE: AW: Re[2]: Printer", "Printer", true, false},
      {"Fwd: Printer", "Printer", false, true},
      {"WG: AW: Printer", "Printer", true, true},
      {"回复：打印机", "打印机", true, false},
      {"Отв: x", "x", true, false},
      {"SV: VS: x", "x", true, false},
      {"TR : x", "x", false, true},
      {"Report: x", "Report: x", false, false},
      {"Remember: x", "Remember: x", false, false},
      {"Re:", "", true, false},
  };
  for (const Case& one : cases) {
    CAPTURE(one.subject);
    const SubjectParts parts = subject_parts(one.subject);
    CHECK(parts.rest == one.rest);
    CHECK(parts.is_reply == one.is_reply);
    CHECK(parts.is_forward == one.is_forward);
  }
}

TEST_CASE("a ticket always has a title") {
  CHECK(title_of(" x ", "body") == "x");
  CHECK(title_of("", "\n\n first line \nsecond") == "first line");
  CHECK(title_of("", "") == "(no subject)");
  CHECK(title_of(std::string(1'000, 'a'), "").size() == 255);
}

TEST_CASE("the key of sender and subject ignores case and blanks, not Re:") {
  CHECK(sender_subject_key("Ann@Example.org", "Printer  broken") ==
        sender_subject_key("ann@example.org", "printer broken "));
  CHECK(sender_subject_key("ann@example.org", "Re: Printer") != sender_subject_key("ann@example.org", "Printer"));
  for (const std::string_view nothing : {"", "  ", "Re:", "Re: AW: ", "Fwd:\t"}) {
    CAPTURE(nothing);
    CHECK(sender_subject_key("ann@example.org", nothing).empty());
  }
  CHECK_FALSE(sender_subject_key("ann@example.org", "Re: x").empty());
  CHECK(sender_subject_key("a@b", "c\nd") != sender_subject_key("a@b\nc", "d"));
}

TEST_CASE("the content key changes with everything that a person would see") {
  Message message;
  message.from = {{"", "ann@example.org"}};
  message.subject = "x";
  message.body_text = "text";
  const std::string key = content_key(message, {"digest"});
  CHECK(content_key(message, {"digest"}) == key);
  CHECK(content_key(message, {"other"}) != key);
  CHECK(content_key(message, {}) != key);
  Message other = message;
  other.body_text = "another text";
  CHECK(content_key(other, {"digest"}) != key);
  other = message;
  other.message_id = "new@x";  // the id is no content
  CHECK(content_key(other, {"digest"}) == key);
}
