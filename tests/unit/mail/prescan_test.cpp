#include "common/mail/prescan.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace postroom::mail;

namespace {

std::string repeated(std::string_view what, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += what;
  return out;
}

bool is_refused_for(const std::string& mail, std::string_view why) {
  const Prescan found = prescan(mail);
  CAPTURE(found.refusal);
  return found.refusal.find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("ordinary mails pass and are measured") {
  const Prescan found = prescan(
      "From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: "
      "multipart/alternative; boundary=\"y\"\r\n\r\n"
      "--y\r\n\r\n1\r\n--y\r\n\r\n2\r\n--y--\r\n--x--\r\n");
  CHECK(found.is_acceptable());
  CHECK(found.header_count == 2);
  CHECK(found.part_count == 4);
  CHECK(found.depth == 2);
}

TEST_CASE("what stands before the header is skipped") {
  CHECK(prescan("From ann Fri Nov 20 10:00:00 2026\nSubject: x\n\nbody").start == 34);
  CHECK(prescan("\r\n\r\nSubject: x\r\n\r\nbody").start == 4);
  CHECK(prescan("hello\nworld\n").header_bytes == 0);
  CHECK(prescan("\n\n\n").header_bytes == 0);
  CHECK(prescan("").is_acceptable());
}

TEST_CASE("the mail that makes GMime loop is refused by name") {
  const std::string killer = "Content-Type: multipart/mixed;\n " + repeated("\xd1\x9c", 30) + "=\"\xd1\x9c\"\n\n";
  CHECK(killer.size() < 130);
  CHECK(is_refused_for(killer, "not ASCII"));
  // With a boundary, or in a leaf, such a name is only ugly.
  CHECK(prescan("Content-Type: multipart/mixed; n\xc3\xa4me=x; boundary=b\n\n").is_acceptable());
  CHECK(prescan("Content-Type: application/pdf; n\xc3\xa4me=x\n\n").is_acceptable());
  CHECK(is_refused_for("Content-Type: multipart/mixed; boundary=b\n\n--b\n" + killer, "not ASCII"));
}

TEST_CASE("headers that recurse are refused wherever they stand") {
  for (const std::string name : {"From", "Cc", "Reply-To", "Sender"})
    CHECK(is_refused_for(name + ": " + repeated("a:", 60'000) + "\n\n", name));
  CHECK(is_refused_for("From: " + repeated("a:", 600) + "\n\n", "groups"));
  CHECK(is_refused_for("To: " + repeated("(", 60) + "\n\n", "comments"));
  CHECK(is_refused_for("To: " + repeated("a@b.c,", 3'000) + "\n\n", "addresses"));
  const std::string inside = "From: " + repeated("a:", 600) + "\n\n";
  CHECK(is_refused_for("Content-Type: message/rfc822\n\n" + inside, "groups"));
  CHECK(is_refused_for("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" + inside,
                       "groups"));
}

TEST_CASE("sizes and counts have limits") {
  CHECK(is_refused_for("X: " + repeated("y", 300'000) + "\n\n", "header block"));
  CHECK(is_refused_for(repeated("X: y\n", 1'001) + "\n", "header fields"));
  CHECK(prescan(repeated("X: y\n", 1'000) + "\n").is_acceptable());
  CHECK(is_refused_for("Content-Type: multipart/mixed; boundary=b\n\n" + repeated("--b\n\n", 1'001), "parts"));
  CHECK(prescan("Content-Type: multipart/mixed; boundary=b\n\n" + repeated("--b\n\n", 1'000)).is_acceptable());
  CHECK(is_refused_for("Content-Type: text/plain" + repeated(";a=b", 101) + "\n\n", "parameters"));
  Limits small;
  small.mail_bytes = 10;
  CHECK_FALSE(prescan("A: 1\n\n123456", small).is_acceptable());
}

TEST_CASE("nesting has a limit, by parts and by mails") {
  std::string nested = "Content-Type: multipart/mixed; boundary=b0\n\n";
  for (int i = 0; i < 60; ++i)
    nested += fmt::format("--b{}\nContent-Type: multipart/mixed; boundary=b{}\n\n", i, i + 1);
  CHECK(is_refused_for(nested, "nesting"));
  CHECK(is_refused_for(repeated("Content-Type: message/rfc822\n\n", 60), "nesting"));
  // Many mails beside each other are no nesting.
  CHECK(prescan("Content-Type: multipart/digest; boundary=b\n\n" +
                repeated("--b\nContent-Type: message/rfc822\n\nSubject: x\n\ntext\n", 200))
            .is_acceptable());
}

TEST_CASE("boundaries match as RFC 2046 says") {
  const std::string head = "Content-Type: multipart/mixed; boundary=b\n\n";
  CHECK(prescan(head + "--b \t\n\nx\n--bb\n\nx\n--b--\n--b\n").part_count == 1);
  CHECK(prescan(head + "-- b\n--\n-b\n").part_count == 0);
}

TEST_CASE("50 MB of lines that look like boundaries are scanned in linear time") {
  std::string mail = "Content-Type: multipart/mixed; boundary=bbbbbbbbbbbbbbbb\n\n";
  while (mail.size() < 50'000'000) mail += "--\n--bbbbbbbbbbbbbbb\n";
  CHECK(prescan(mail).is_acceptable());
}

TEST_CASE("NUL in the header is seen") {
  CHECK(prescan(std::string_view{"A: 1\0 2\n\n", 9}).has_nul_in_header);
}
