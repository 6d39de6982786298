#include "api/server/reply_text.hpp"

#include <doctest/doctest.h>

#include "api/server/metrics_join.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

std::string written(const Reply& reply, ReplyForm form = {.date = "today"}) {
  std::string out = "left over";
  write_reply(out, reply, form);
  return out;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("control bytes never get into a header") {
  std::string out;
  CHECK(set_header(out, "Location", "/v1/x"));
  CHECK(out == "Location: /v1/x\r\n");
  for (const std::string_view bad : {std::string_view{"/x\r\nSet-Cookie: a"}, std::string_view{"a\nb"}, std::string_view{"a\rb"}, std::string_view{"a\0b", 3},
                                     std::string_view{"a\x7f"}}) {
    CHECK_FALSE(set_header(out, "Location", bad));
  }
  CHECK_FALSE(set_header(out, "Loca tion", "x"));
  CHECK_FALSE(set_header(out, "", "x"));
  CHECK(out == "Location: /v1/x\r\n");
  CHECK_FALSE(has(written(Reply{}.with("Location", "/x\r\nSet-Cookie: a")), "Set-Cookie"));
}

TEST_CASE("an answer says its length and type, and is neither sniffed, framed nor cached") {
  const auto text = written(Reply{.status = 404, .body = "{}", .type = BodyType::problem});
  CHECK(text.starts_with("HTTP/1.1 404 Not Found\r\nDate: today\r\n"));
  CHECK(has(text, "Content-Type: application/problem+json\r\n"));
  CHECK(has(text, "Content-Length: 2\r\n"));
  CHECK(has(text, "X-Content-Type-Options: nosniff\r\n"));
  CHECK(has(text, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"));
  CHECK(has(text, "Cache-Control: no-store\r\n"));
  CHECK_FALSE(has(text, "Server:"));
  CHECK_FALSE(has(text, "Connection:"));
  CHECK(text.ends_with("\r\n\r\n{}"));
}

TEST_CASE("the connection's end is announced, and HEAD gets no body") {
  CHECK(has(written(Reply{}, {.keep_alive = false}), "Connection: close\r\n"));
  CHECK(has(written(Reply{}, {.is_http_1_0 = true}), "Connection: keep-alive\r\n"));
  const auto head = written(Reply{.body = "{\"a\":1}"}, {.is_head = true});
  CHECK(has(head, "Content-Length: 7\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("dates are those of RFC 9110") { CHECK(http_date(from_micros(784'111'777'000'000)) == "Sun, 06 Nov 1994 08:49:37 GMT"); }

TEST_CASE("metrics of several processes are one text") {
  const auto joined = join_metrics({{"api-1", "# TYPE a counter\na_total 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_count 2\n# EOF\n"},
                                    {"ledger-2", "# TYPE b gauge\nb 5\n# TYPE a counter\na_total{x=\"y\"} 7\n# EOF\n"}});
  CHECK(joined ==
        "# TYPE a counter\na_total{process=\"api-1\"} 1\na_total{process=\"ledger-2\",x=\"y\"} 7\n"
        "# TYPE h histogram\nh_bucket{process=\"api-1\",le=\"1\"} 2\nh_count{process=\"api-1\"} 2\n"
        "# TYPE b gauge\nb{process=\"ledger-2\"} 5\n# EOF\n");
  CHECK(join_metrics({}) == "# EOF\n");
}
