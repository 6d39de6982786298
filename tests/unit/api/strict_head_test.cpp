#include "api/server/strict_head.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace postroom::api;

namespace {

// 200: taken; else the status of the refusal.
int judged(std::string_view bytes) {
  const auto end = find_head_end(bytes);
  if (end.refusal) return end.refusal->status;
  if (end.at == std::string_view::npos) return 0;  // waits for more
  const auto read = read_head(bytes.substr(0, end.at));
  if (const auto* refusal = std::get_if<HeadRefusal>(&read)) return refusal->status;
  return 200;
}

std::string with(std::string_view fields, std::string_view line = "POST /v1/boards HTTP/1.1") {
  return std::string{line}.append("\r\nHost: a\r\n").append(fields).append("\r\n");
}

Head taken(const std::string& bytes) {
  const auto read = read_head(bytes);
  REQUIRE(std::holds_alternative<Head>(read));
  return std::get<Head>(read);
}

}  // namespace

TEST_CASE("a plain request is taken apart") {
  const std::string bytes = "POST /v1/boards?x=1 HTTP/1.1\r\nHost: localhost:8080\r\ncontent-type:application/json\r\nContent-Length: 17 \r\n"
                            "AUTHORIZATION: Bearer t\r\nIdempotency-Key: k\r\nPrefer: wait=3\r\nIf-Match: \"v1\"\r\n\r\n";
  const Head head = taken(bytes);
  CHECK(head.method == "POST");
  CHECK(head.path == "/v1/boards");
  CHECK(head.query == "x=1");
  CHECK(head.host == "localhost:8080");
  CHECK(head.content_type == "application/json");
  CHECK(head.content_length == 17u);
  CHECK(head.authorization == "Bearer t");
  CHECK(head.idempotency_key == "k");
  CHECK(head.prefer == "wait=3");
  CHECK(head.if_match == "\"v1\"");
  CHECK(head.keep_alive);
  CHECK_FALSE(head.chunked);
}

TEST_CASE("what two parsers could read differently is refused") {
  struct Row {
    const char* name;
    std::string bytes;
    int status;
  };
  const std::vector<Row> rows{
      {"plain", with(""), 200},
      {"chunked", with("Transfer-Encoding: chunked\r\n"), 200},
      {"chunked in capitals", with("transfer-encoding: CHUNKED\r\n"), 200},
      {"both lengths", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"both lengths, turned", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"two codings", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"gzip", with("Transfer-Encoding: gzip\r\n"), 400},
      {"gzip and a length", with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), 400},
      {"xchunked", with("Transfer-Encoding: xchunked\r\n"), 400},
      {"chunked, identity", with("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n"), 400},
      {"quoted chunked", with("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"empty coding", with("Transfer-Encoding:\r\n"), 400},
      {"vertical tab before chunked", with("Transfer-Encoding: \x0b" "chunked\r\n"), 400},
      {"blank before the colon", with("Transfer-Encoding : chunked\r\n"), 400},
      {"chunked on 1.0", with("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), 400},
      {"double length", with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"two lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"list of lengths", with("Content-Length: 5, 5\r\n"), 400},
      {"signed length", with("Content-Length: +5\r\n"), 400},
      {"negative length", with("Content-Length: -5\r\n"), 400},
      {"hex length", with("Content-Length: 0x5\r\n"), 400},
      {"empty length", with("Content-Length:\r\n"), 400},
      {"length with a blank", with("Content-Length: 1 2\r\n"), 400},
      {"overflowing length", with("Content-Length: 18446744073709551621\r\n"), 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", with("Host: b\r\n"), 400},
      {"same host twice", with("Host: a\r\n"), 400},
      {"host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"folded line", with("X-A: b\r\n c\r\n"), 400},
      {"fold after the request line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"bare LF ends a line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"bare CR in a value", with("X-A: b\rTransfer-Encoding: chunked\r\n"), 400},
      {"CR before CRLF", with("X-A: b\r\r\n"), 400},
      {"NUL in a value", with(std::string_view{"X-A: b\0c\r\n", 10}), 400},
      {"8-bit name", with("X-\xc3\xa4: b\r\n"), 400},
      {"no colon", with("nonsense\r\n"), 400},
      {"empty name", with(": b\r\n"), 400},
      {"leading CRLF", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"HTTP/1.9", with("", "GET / HTTP/1.9"), 400},
      {"HTTP/2.0", with("", "GET / HTTP/2.0"), 505},
      {"http/1.1", with("", "GET / http/1.1"), 400},
      {"HTTP/1.10", with("", "GET / HTTP/1.10"), 400},
      {"no version", with("", "GET /"), 400},
      {"two blanks", with("", "GET  / HTTP/1.1"), 400},
      {"tab for a blank", with("", "GET\t/ HTTP/1.1"), 400},
      {"absolute form", with("", "GET http://b/ HTTP/1.1"), 400},
      {"star", with("", "OPTIONS * HTTP/1.1"), 400},
      {"8-bit target", with("", "GET /\xff HTTP/1.1"), 400},
      {"fragment", with("", "GET /#a HTTP/1.1"), 400},
      {"bracketed method", with("", "G(T / HTTP/1.1"), 400},
      {"two keys", with("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), 400},
      {"two tokens", with("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400},
      {"two types", with("Content-Type: application/json\r\nContent-Type: text/plain\r\n"), 400},
      {"expects what cannot be met", with("Expect: 200-ok\r\n"), 417},
      {"long target", with("", "GET /" + std::string(longest_target, 'a') + " HTTP/1.1"), 414},
      {"endless line", std::string(longest_head + 1, 'a'), 414},
      {"one long field", with("X-A: " + std::string(longest_head, 'a') + "\r\n"), 431},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(judged(row.bytes) == row.status);
  }
}

TEST_CASE("the number of fields is limited") {
  std::string fields;
  for (std::size_t n = 1; n < most_fields; ++n) fields += "X-A: b\r\n";  // and Host
  CHECK(judged(with(fields)) == 200);
  CHECK(judged(with(fields + "X-A: b\r\n")) == 431);
}

TEST_CASE("a head that is not all there waits, and is found wherever it was cut") {
  const std::string bytes = with("X-A: b\r\n");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    CHECK(find_head_end(std::string_view{bytes}.substr(0, cut)).at == std::string_view::npos);
    CHECK(find_head_end(bytes, cut).at == bytes.size());
  }
  CHECK(find_head_end(bytes + "GET / HTTP/1.1\r\n").at == bytes.size());
}

TEST_CASE("connection options decide whether the connection stays") {
  CHECK(taken(with("")).keep_alive);
  CHECK_FALSE(taken(with("Connection: close\r\n")).keep_alive);
  CHECK_FALSE(taken(with("Connection: x, CLOSE\r\nConnection: keep-alive\r\n")).keep_alive);
  CHECK_FALSE(taken(with("", "GET / HTTP/1.0")).keep_alive);
  CHECK(taken(with("Connection: Keep-Alive\r\n", "GET / HTTP/1.0")).keep_alive);
}

TEST_CASE("an expectation is heard on HTTP/1.1 only") {
  CHECK(taken(with("Expect: 100-Continue\r\n")).expects_continue);
  CHECK_FALSE(taken(with("Expect: 100-continue\r\n", "POST / HTTP/1.0")).expects_continue);
}
