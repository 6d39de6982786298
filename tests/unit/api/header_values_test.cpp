#include "api/header_values.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace postroom::api;
using std::chrono::seconds;

TEST_CASE("Prefer tells how long to wait, within limits, and nonsense is ignored") {
  CHECK(wait_preferred("wait=5") == seconds{5});
  CHECK(wait_preferred("Wait = 5") == seconds{5});
  CHECK(wait_preferred("wait=\"7\"; x=y") == seconds{7});
  CHECK(wait_preferred("return=minimal, wait=0") == seconds{0});
  CHECK(wait_preferred("wait=61") == seconds{60});
  CHECK(wait_preferred("respond-async") == seconds{0});
  CHECK(wait_preferred("respond-async, wait=20") == seconds{0});
  CHECK(wait_preferred("wait=5, wait=9") == seconds{5});
  for (const char* nonsense : {"", "wait", "wait=", "wait=-1", "wait=+1", "wait=1.5", "wait=99999999999999999999", "waits=5", "handling=lenient"}) {
    CAPTURE(nonsense);
    CHECK_FALSE(wait_preferred(nonsense).has_value());
  }
}

TEST_CASE("If-Match takes our entity tags only") {
  CHECK(version_expected("\"v17\"").value() == 17);
  CHECK_FALSE(version_expected("").value().has_value());
  CHECK_FALSE(version_expected("*").value().has_value());
  for (const char* wrong : {"v17", "\"17\"", "W/\"v17\"", "\"v\"", "\"v-1\"", "\"v1\", \"v2\"", "\"v1", "\"v99999999999999999999\""}) {
    CAPTURE(wrong);
    CHECK_FALSE(version_expected(wrong).ok());
  }
}

TEST_CASE("idempotency keys are visible ASCII of bounded length") {
  CHECK(check_idempotency_key("a").ok());
  CHECK(check_idempotency_key("\"8e03978e-40d5\"").ok());
  CHECK(check_idempotency_key(std::string(255, 'k')).ok());
  CHECK_FALSE(check_idempotency_key("").ok());
  CHECK_FALSE(check_idempotency_key(std::string(256, 'k')).ok());
  CHECK_FALSE(check_idempotency_key("a b").ok());
  CHECK_FALSE(check_idempotency_key("\xc3\xa4").ok());
}

TEST_CASE("only bearer tokens are tokens") {
  CHECK(bearer_token("Bearer abc") == "abc");
  CHECK(bearer_token("bearer  abc") == "abc");
  CHECK_FALSE(bearer_token("Basic abc").has_value());
  CHECK_FALSE(bearer_token("Bearer").has_value());
  CHECK_FALSE(bearer_token("").has_value());
}

TEST_CASE("a body is JSON in UTF-8 or nothing") {
  for (const char* good : {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\""}) CHECK(is_json_type(good));
  for (const char* bad : {"", "text/plain", "application/jsonx", "application/json; charset=latin1", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_json_type(bad));
  }
}

TEST_CASE("a trace context is passed on only when it is one") {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  CHECK(valid_traceparent(good) == good);
  CHECK(valid_traceparent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").empty());
  CHECK(valid_traceparent(good + "-x").empty());
  CHECK(valid_traceparent("").empty());
}
