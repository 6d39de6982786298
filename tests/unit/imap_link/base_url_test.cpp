// What a mailbox's address may look like.

#include <doctest/doctest.h>

#include "common/imap_link/link.hpp"

using namespace postroom;
using namespace postroom::imap_link;

TEST_CASE("a base URL names host and port, and how encryption begins") {
  struct Row {
    const char* url;
    bool is_tls;
    const char* host;
    int port;
  };
  const Row rows[] = {{"imaps://mail.example.org", true, "mail.example.org", 993}, {"imap://mail.example.org", false, "mail.example.org", 143},
                      {"imaps://mail.example.org:9930/", true, "mail.example.org", 9930}, {"imaps://192.0.2.7:1", true, "192.0.2.7", 1},
                      {"imap://[2001:db8::1]", false, "[2001:db8::1]", 143}, {"imaps://[::1]:65535", true, "[::1]", 65535}};
  for (const auto& row : rows) {
    CAPTURE(row.url);
    const auto place = parse_base_url(row.url);
    REQUIRE(place.ok());
    CHECK(place->is_tls == row.is_tls);
    CHECK(place->host == row.host);
    CHECK(place->port == row.port);
  }
}

TEST_CASE("what could smuggle something into a session, or lead elsewhere, is no base URL") {
  for (const char* url : {"", "imaps:", "imaps://", "https://mail.example.org", "mail.example.org", "IMAPS://mail.example.org", "imaps://user@mail.example.org",
                          "imaps://mail.example.org/INBOX", "imaps://mail.example.org:0", "imaps://mail.example.org:65536", "imaps://mail.example.org:",
                          "imaps://mail.example.org:99x", "imaps://mail.example.org:+99", "imaps://mail example.org", "imaps://mail.example.org\r\nA1 LOGOUT",
                          "imaps://[::1", "imaps://::1", "imaps://mail.example.org?x", "imaps://m\xc3\xa4il.example.org", "imaps://a;b", "imaps://[a]b:1"}) {
    CAPTURE(url);
    CHECK_FALSE(parse_base_url(url).ok());
  }
  CHECK_FALSE(parse_base_url("imaps://" + std::string(300, 'a')).ok());
}
