#include <doctest/doctest.h>

#include "common/http/exchange.hpp"

using namespace postroom;
using namespace postroom::http;
using std::chrono::milliseconds;

TEST_CASE("headers are found in any case, the first one wins") {
  Reply reply;
  reply.headers = {{"Retry-After", "3"}, {"X-A", "1"}, {"x-a", "2"}};
  CHECK(reply.header("retry-after") == "3");
  CHECK(reply.header("X-a") == "1");
  CHECK(reply.header("missing").empty());
}

TEST_CASE("percent encoding keeps only unreserved characters") {
  CHECK(percent_encoded("SUP-1_a.b~") == "SUP-1_a.b~");
  CHECK(percent_encoded("a b/ä?") == "a%20b%2F%C3%A4%3F");
}

TEST_CASE("Retry-After in every form that the field has seen") {
  const WallTime now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(to_rfc3339(now) == "1994-11-06T08:49:37.000000Z");
  CHECK(wait_until("1", now) == milliseconds{1000});
  CHECK(wait_until(" 30 ", now) == milliseconds{30'000});
  CHECK(wait_until("-5", now) == milliseconds{0});
  CHECK(wait_until("1000000000", now) == milliseconds{31'536'000'000});
  CHECK(wait_until("Sun, 06 Nov 1994 08:50:00 GMT", now) == milliseconds{23'000});
  CHECK(wait_until("Sun, 06 Nov 1994 08:00:00 GMT", now) == milliseconds{0});
  CHECK(wait_until("1994-11-06T08:50Z", now) == milliseconds{23'000});
  CHECK(wait_until("1994-11-06T08:49:38Z", now) == milliseconds{1'000});
  for (const char* wrong : {"", "soon", "1.5", "99999999999999999999", "Sun, 31 Feb 1994 08:50:00 GMT", "Sun, 06 Nov 1994 08:50:00 CET"}) {
    CAPTURE(wrong);
    CHECK_FALSE(wait_until(wrong, now));
  }
}
