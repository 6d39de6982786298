#include <doctest/doctest.h>

#include "common/smtp/check.hpp"

using namespace postroom;
using namespace postroom::smtp;

namespace {

Request good() {
  Request request;
  request.url = "smtps://mail.example.org";
  request.greeting_name = "desk.example";
  request.sender = "desk@desk.example";
  request.recipients = {"ann@example.org"};
  request.content = "Subject: Hello\r\n\r\nThe body.\r\n";
  return request;
}

}  // namespace

TEST_CASE("a server is a scheme, a host and a port") {
  struct Row {
    const char* url;
    const char* host;
    int port;
    bool is_tls;
  };
  const Row rows[] = {{"smtps://mail.example.org", "mail.example.org", 465, true},
                      {"smtp://mail.example.org", "mail.example.org", 587, false},
                      {"smtp://mail.example.org/", "mail.example.org", 587, false},
                      {"smtp://127.0.0.1:2525", "127.0.0.1", 2525, false},
                      {"smtps://[2001:db8::1]", "[2001:db8::1]", 465, true},
                      {"smtps://[2001:db8::1]:1465", "[2001:db8::1]", 1465, true}};
  for (const auto& row : rows) {
    CAPTURE(row.url);
    const auto server = parse_server(row.url);
    REQUIRE(server.ok());
    CHECK(server->host == row.host);
    CHECK(server->port == row.port);
    CHECK(server->is_tls == row.is_tls);
  }
  for (const char* url : {"", "mail.example.org", "https://mail.example.org", "smtp://", "smtp:///", "smtp://:25", "smtp://host:", "smtp://host:0",
                          "smtp://host:65536", "smtp://host:25x", "smtp://user@host", "smtp://user:password@host", "smtp://host/name", "smtp://host?x",
                          "smtp://host#x", "smtp://ho st", "smtp://host\r\n", "smtp://ho%0d%0ast", "smtp://h\xc3\xb6st", "SMTP://host"}) {
    CAPTURE(url);
    CHECK_FALSE(parse_server(url).ok());
  }
}

TEST_CASE("nothing that could become a second command passes") {
  CHECK(check(good()).ok());
  const char* const bad_addresses[] = {"ann", "@", "ann@", "@example.org", "ann@example.org\r\nRCPT TO:<eve@example.org>", "ann@example.org\n", "ann@exa\rmple.org",
                                       "ann@example.org> SIZE=1", "ann@example.org>", "<ann@example.org", "ann @example.org", "\"ann eve\"@example.org",
                                       "ann\\@example.org", "ann@[127.0.0.1]", "ann@example.org,eve@example.org", "ann@example.org\xff", "ann\t@example.org", "a\x7f@b"};
  for (const char* address : bad_addresses) {
    CAPTURE(address);
    Request request = good();
    request.recipients = {"bob@example.org", address};
    CHECK_FALSE(check(request).ok());
    request = good();
    request.sender = address;
    CHECK_FALSE(check(request).ok());
  }
  for (const char* name : {"", "desk example", "desk\r\nMAIL FROM:<x@y>", "d\xc3\xa9sk"}) {
    CAPTURE(name);
    Request request = good();
    request.greeting_name = name;
    CHECK_FALSE(check(request).ok());
  }
  Request request = good();
  request.login = Login{"ann\r\nQUIT", "secret"};
  CHECK_FALSE(check(request).ok());
  request.login = Login{"ann", std::string{"sec\0ret", 7}};
  CHECK_FALSE(check(request).ok());
  request.login = Login{"ann", "p\xc3\xa4ss w\xc3\xb6rd \"'%"};
  CHECK(check(request).ok());
  request = good();
  request.recipients.assign(101, "ann@example.org");
  CHECK_FALSE(check(request).ok());
}

TEST_CASE("content that a server could read as two mails does not leave") {
  const std::string_view bad[] = {"", "no end", "bare\nline feed\r\n", "bare\rreturn\r\n", "a\n.\nMAIL FROM:<x@y>\r\n", "a\r.\rb\r\n", "a\n.\r\nb\r\n", "a\r\n.\rb\r\n",
                                  "end\n", "end\r", "\r\r\n", {"zero\0byte\r\n", 11}};
  for (const std::string_view content : bad) {
    CAPTURE(content);
    Request request = good();
    request.content = content;
    CHECK_FALSE(check(request).ok());
  }
  Request request = good();
  request.content = std::string(998, 'x') + "\r\n.\r\n..\r\n\r\n";
  CHECK(check(request).ok());
  request.content = std::string(999, 'x') + "\r\n";
  CHECK_FALSE(check(request).ok());
  request.recipients.clear();  // a trial has none
  request.content.clear();
  CHECK(check(request).ok());
}

TEST_CASE("addresses outside ASCII are for the server to judge") {
  CHECK(is_safe_address("j\xc3\xb6rg@b\xc3\xbc" "cher.example"));
  CHECK_FALSE(is_safe_address("j\xc3@example.org"));
}

TEST_CASE("enhanced status codes are read only where they stand") {
  CHECK(enhanced_status("5.1.1 no such person") == "5.1.1");
  CHECK(enhanced_status("4.2.10") == "4.2.10");
  CHECK(enhanced_status("2.0.0 OK") == "2.0.0");
  for (const char* text : {"", "no such person", "1.2.3 x", "5.1", "5.1. x", "5..1 x", "5.1234.1 x", "51.1 x", "5.1.1x y", "see 5.1.1"}) {
    CAPTURE(text);
    CHECK(enhanced_status(text).empty());
  }
}
