#include "api/formats.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace postroom::api;

TEST_CASE("e-mail addresses") {
  for (const char* good : {"a@b.de", "first.last+tag@mail.example.org", "o'neil@example.org", "j\xc3\xb6rg@m\xc3\xbcller.de"}) {
    CAPTURE(good);
    CHECK(is_email(good));
  }
  for (const char* bad : {"", "a", "@b.de", "a@", "a@b", "a@b..de", "a@-b.de", ".a@b.de", "a.@b.de", "a..b@c.de", "a b@c.de", "a@b.de\r\nBcc: x@y.de", "a@b@c.de",
                          "\"a\"@b.de", "a@[127.0.0.1]", "a,b@c.de"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_email(bad));
  }
  CHECK_FALSE(is_email(std::string(65, 'a') + "@b.de"));
  CHECK_FALSE(is_email("a@" + std::string(260, 'b') + ".de"));
}

TEST_CASE("base addresses of far sides") {
  for (const char* good : {"https://site.atlassian.net", "https://api.trello.com/", "http://127.0.0.1:8081", "https://host:1/path", "https://[::1]:8443/x"}) {
    CAPTURE(good);
    CHECK(is_base_url(good));
  }
  for (const char* bad : {"", "ftp://a", "https://", "https:///x", "https://user@host", "https://a b", "https://a?x=1", "https://a#x", "https://a:", "https://a:x",
                          "https://a\r\nHost: b", "https://\xc3\xa4.de", "javascript:alert(1)", "https://a\\b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_base_url(bad));
  }
}

TEST_CASE("one line is one line, whatever breaks lines") {
  CHECK(is_single_line("Printer on fire \xf0\x9f\x94\xa5"));
  for (const char* bad : {"", "   ", "a\nb", "a\tb", "a\x7f", "a\xc2\x85" "b", "a\xe2\x80\xa8" "b", "a\xe2\x80\xa9" "b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_single_line(bad));
  }
}

TEST_CASE("unknown formats judge nothing, known ones say what they want") {
  CHECK_FALSE(complaint("unheard-of", "x").has_value());
  CHECK(complaint("uuid", "x") == "must be a UUID");
  CHECK(complaint("trello-id", "123").has_value());
  CHECK_FALSE(complaint("trello-id", "0123456789abcdefABCDEF00").has_value());
  CHECK_FALSE(complaint("jira-project-key", "SUP_2").has_value());
  CHECK(complaint("jira-project-key", "sup").has_value());
}

TEST_CASE("addresses of mail servers are host and port, nothing else") {
  for (const char* good : {"imaps://mail.example.org", "imap://mail.example.org:143", "smtp://127.0.0.1:25/", "smtps://[2001:db8::1]:465", "https://site.atlassian.net/x"}) {
    CAPTURE(good);
    CHECK(is_connection_url(good));
  }
  for (const char* bad : {"imap://", "imap://:143", "imap://a:", "imap://a:x", "imap://a:0", "imap://a:65536", "imap://a:99999999999", "imap://u:p@a", "imap://a/INBOX", "imap://a?x", "imap://a#x",
                          "imap://a b", "imap://a\r\n", "imap://[::1", "imap://[]", "imap://[::1]x", "imap://[::1]:", "imap://-a", "imap://a..b", "IMAP://a", "imaps:/a", "pop3://a"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_connection_url(bad));
  }
}

TEST_CASE("folders, times and texts") {
  for (const char* good : {"INBOX", "Archive/2026", "Größe", "a & b"}) CHECK(is_mail_folder(good));
  for (const char* bad : {"", " INBOX", "INBOX ", "a*", "a%", "a\nb", "a\x7f"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_mail_folder(bad));
  }
  CHECK_FALSE(is_mail_folder(std::string(256, 'a')));
  CHECK(is_since("all"));
  CHECK(is_since("2026-11-20T10:00:00Z"));
  CHECK_FALSE(is_since("ALL"));
  CHECK_FALSE(is_since("2026-11-20"));
  CHECK_FALSE(complaint("visible", "a\r\n\tb").has_value());
  CHECK(complaint("visible", "\n \t").has_value());
  CHECK(complaint("visible", "a\x1b[31m").has_value());
}
