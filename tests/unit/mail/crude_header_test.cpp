// Mails that no parser could read: what is known of them all the same.

#include "common/mail/crude_header.hpp"

#include <doctest/doctest.h>

using namespace postroom::mail;

namespace {

const OwnMarks own{"install", {"desk@postroom.example"}};

}  // namespace

TEST_CASE("subject and sender are read without a parser") {
  struct Row {
    std::string mail;
    std::string subject;
    std::string addr;
    std::string name;
  };
  const Row rows[] = {
      {"From: Ann <ann@example.org>\r\nSubject: Keys lost\r\n\r\nbody", "Keys lost", "ann@example.org", "Ann"},
      {"From: ann@example.org\nSubject: folded\n  over lines\n\nbody", "folded over lines", "ann@example.org", ""},
      {"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: =?iso-8859-1?q?J=F6rg?= <j@example.org>\r\n\r\n", "Grüße",
       "j@example.org", "Jörg"},
      {"From ann Fri Nov 20\nSubject: mbox\nSender: <s@example.org>\n\n", "mbox", "s@example.org", ""},
      {"Subject: first\r\nSubject: second\r\n\r\n", "first", "", ""},
      {"From: nobody at all\r\n\r\n", "", "", ""},
      {"\r\nSubject: after an empty line\r\n", "after an empty line", "", ""},
      {"just text", "", "", ""},
      {"", "", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.mail);
    const CrudeHeader found = crude_header(row.mail, own);
    CHECK(found.subject == row.subject);
    CHECK(found.sender.addr == row.addr);
    if (!row.addr.empty()) CHECK(found.sender.name == row.name);
  }
  CHECK(crude_header("just text", own).is_empty());
  CHECK_FALSE(crude_header("Subject: x\n\n", own).is_empty());
}

TEST_CASE("a machine's mail says so here too") {
  CHECK(crude_header("From: a@b.example\nAuto-Submitted: auto-replied\n\n", own).auto_mail.is_auto);
  CHECK(crude_header("From: desk@postroom.example\nSubject: x\n\n", own).auto_mail.is_auto);
  CHECK_FALSE(crude_header("From: a@b.example\nSubject: x\n\n", own).auto_mail.is_auto);
}

TEST_CASE("only the beginning counts, and nothing there is too much") {
  std::string mail = "X-Long: " + std::string(crude_header_bytes, 'x') + "\nSubject: far behind\n\n";
  CHECK(crude_header(mail, own).is_empty());
  mail.clear();
  for (int i = 0; i < 10'000; ++i) mail += "X: y\n";
  CHECK(crude_header(mail + "Subject: one of too many\n\n", own).is_empty());
  CHECK(crude_header("Subject: " + std::string(30'000, 's') + "\n\n", own).subject.size() == 1'000);
  const std::string groups = "From: " + std::string(60'000, ':') + "\nSubject: groups\n\n";
  CHECK(crude_header(groups, own).subject == "groups");
  std::string nul = "Subject: a?b\nFrom: c@d.example\n\n";
  nul[10] = '\0';
  CHECK(crude_header(nul, own).subject == "a b");
  CHECK(crude_header("Subject: \x1b[31m red\x07\n\n", own).subject.find('\x1b') == std::string::npos);
}
