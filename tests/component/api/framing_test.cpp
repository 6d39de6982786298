// Where one request ends and the next begins: over raw sockets, because no client library would send this.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/component/api/running_api.hpp"

using namespace postroom::support;
using std::chrono::seconds;

namespace {

const std::string line = "POST /v1/boards/" + public_board + "/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const std::string smuggled = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string chunk(std::string_view data, std::string_view extension = {}) { return fmt::format("{:x}{}\r\n{}\r\n", data.size(), extension, data); }

}  // namespace

TEST_CASE("what could hide a second request is answered once, with 400, and the connection ends") {
  auto& api = RunningApi::shared();
  struct Row {
    const char* name;
    std::string bytes;
  };
  const std::vector<Row> rows{
      {"length and coding", line + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
      {"coding and length", line + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + smuggled},
      {"two codings", line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled},
      {"gzip and a length", line + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n" + smuggled},
      {"xchunked", line + "Transfer-Encoding: xchunked\r\n\r\n" + smuggled},
      {"chunked, identity", line + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smuggled},
      {"chunked on 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
      {"two lengths", line + "Content-Length: 0\r\nContent-Length: 50\r\n\r\n" + smuggled},
      {"list of lengths", line + "Content-Length: 5, 5\r\n\r\n" + smuggled},
      {"length beyond 64 bit", line + "Content-Length: 18446744073709551616\r\n\r\n" + smuggled},
      {"no host", "GET /openapi.json HTTP/1.1\r\n\r\n" + smuggled},
      {"two hosts", "GET /openapi.json HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled},
      {"folded line", "GET /openapi.json HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n" + smuggled},
      {"bare line feed", "GET /openapi.json HTTP/1.1\nHost: a\n\n" + smuggled},
      {"bare carriage return", "GET /openapi.json HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n" + smuggled},
      {"absolute form", "GET http://b/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
      {"line feed in a chunk extension", line + "Transfer-Encoding: chunked\r\n\r\n5;a=\"\n\"\r\nhello\r\n0\r\n\r\n" + smuggled},
      {"chunk extension", line + "Transfer-Encoding: chunked\r\n\r\n" + chunk(R"({"title":"a"})", ";a=b") + "0\r\n\r\n" + smuggled},
      {"huge chunk size", line + "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\nx\r\n" + smuggled},
      {"negative chunk size", line + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n" + smuggled},
      {"trailer", line + "Transfer-Encoding: chunked\r\n\r\n" + chunk(R"({"title":"a"})") + "0\r\nAuthorization: Bearer x\r\n\r\n" + smuggled},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    RawConnection connection{api.port()};
    connection.send(row.bytes);
    const auto reply = connection.read_reply();
    CAPTURE(reply.body);
    CHECK((reply.status == 400 || reply.status == 413));
    CHECK(reply.headers.at("connection") == "close");
    CHECK(connection.is_closed());
  }
}

TEST_CASE("a thousand requests in one breath are answered in order") {
  auto& api = RunningApi::shared();
  RawConnection connection{api.port()};
  std::string all;
  for (int n = 0; n < 1'000; ++n) all += fmt::format("GET /v1/nothing/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", n);
  connection.send(all);
  for (int n = 0; n < 1'000; ++n) {
    const auto reply = connection.read_reply();
    REQUIRE(reply.status == 404);
    REQUIRE(reply.body.find(fmt::format("/v1/nothing/{}\"", n)) != std::string::npos);
  }
}

TEST_CASE("a request in pieces, byte by byte, is a request") {
  auto& api = RunningApi::shared();
  RawConnection connection{api.port()};
  const std::string body = R"({"title":"in pieces"})";
  for (const char c : line + fmt::format("Content-Length: {}\r\n\r\n", body.size()) + body) connection.send(std::string(1, c));
  CHECK(connection.read_reply().status == 202);
  connection.send(line + "Transfer-Encoding: chunked\r\n\r\n" + chunk("{\"title\":") + chunk("\"in chunks\"}") + "0\r\n\r\n" + smuggled);
  CHECK(connection.read_reply().status == 202);
  CHECK(connection.read_reply().status == 200);
}

TEST_CASE("who asks before sending is told to go on, or why not") {
  auto& api = RunningApi::shared();
  const std::string body = R"({"title":"polite"})";
  {
    RawConnection connection{api.port()};
    connection.send(line + fmt::format("Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.size()));
    CHECK(connection.read_reply().status == 100);
    connection.send(body);
    CHECK(connection.read_reply().status == 202);
  }
  RawConnection connection{api.port()};
  connection.send("POST /v1/boards HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
  CHECK(connection.read_reply().status == 401);
  CHECK(connection.is_closed());
}

TEST_CASE("a body that grows beyond the limit is refused while it comes") {
  auto& api = RunningApi::shared();
  RawConnection connection{api.port()};
  connection.send(line + "Transfer-Encoding: chunked\r\n\r\n");
  for (int n = 0; n < 20; ++n) connection.send(chunk(std::string(64 * 1024, ' ')));
  CHECK(connection.read_reply().status == 413);
}

TEST_CASE("HEAD is GET without the body, and connections stay or end as asked") {
  auto& api = RunningApi::shared();
  RawConnection connection{api.port()};
  connection.send("HEAD /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = connection.read_reply(seconds{60}, false);
  CHECK(head.status == 200);
  CHECK(std::stoul(head.headers.at("content-length")) > 10'000);
  connection.send("GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(connection.read_reply().headers["connection"] == "close");
  CHECK(connection.is_closed());
}

TEST_CASE("a head that drips is not waited for") {
  auto& api = RunningApi::shared();
  RawConnection connection{api.port()};
  connection.send("GET /readyz HTTP/1.1\r\n");
  const auto reply = connection.read_reply();
  CHECK(reply.status == 408);
  CHECK(connection.is_closed());
}
