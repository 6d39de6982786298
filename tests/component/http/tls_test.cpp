#include <doctest/doctest.h>

#include "tests/component/http/fault_server.hpp"

using namespace postroom;
using namespace postroom::http;

namespace {
ClientSettings trusting(const FaultServer& server) { return {.allow = {"127.0.0.0/8"}, .ca_file = server.folder() + "/ca.pem"}; }
}  // namespace

TEST_CASE("the extra authority is trusted, again and again") {
  FaultServer server;
  Bench bench{trusting(server)};
  for (int i = 0; i < 3; ++i) {
    const Reply reply = bench.fetch({.method = "POST", .url = server.url("https", "tls", "/"), .is_repeatable = false});
    CHECK(reply.failure == Failure::none);
    CHECK(reply.status == 200);
  }
}

TEST_CASE("wrong certificates are refused, nothing is sent, and the reason is told") {
  FaultServer server;
  Bench trusting_bench{trusting(server)}, plain_bench;
  struct Case {
    const char* name;
    Bench& bench;
    std::string url;
    const char* reason;
  };
  const Case cases[] = {
      {"unknown authority", plain_bench, server.url("https", "tls", "/"), "unable to get local issuer certificate"},
      {"wrong host", trusting_bench, server.url("https", "tls_wrong_host", "/"), "127.0.0.1"},
      {"expired", trusting_bench, server.url("https", "tls_expired", "/"), "expired"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    const Reply reply = one.bench.fetch({.method = "POST", .url = one.url, .body = "secret", .is_repeatable = false});
    CHECK(reply.failure == Failure::tls_certificate);
    CHECK_FALSE(reply.was_sent);
    CHECK(reply.bytes_sent == 0);
    CAPTURE(reply.detail);
    CHECK(reply.detail.find(one.reason) != std::string::npos);
  }
}

TEST_CASE("old TLS, plain text and a reset in the handshake are not downgraded to") {
  FaultServer server;
  Bench bench{trusting(server)};
  for (const std::string& url : {server.url("https", "tls_old", "/"), server.url("https", "plain", "/"), server.url("https", "tls_reset", "/")}) {
    CAPTURE(url);
    const Reply reply = bench.fetch({.method = "POST", .url = url, .is_repeatable = false, .timeout = std::chrono::seconds{3}});
    const bool is_handshake_failure = reply.failure == Failure::tls || reply.failure == Failure::reset_before_send || reply.failure == Failure::timeout;
    CHECK(is_handshake_failure);
    CHECK_FALSE(reply.was_sent);
  }
}

TEST_CASE("a certificate file that does not exist is refused at start") {
  loop::Loop loop;
  SystemClock clock;
  const auto made = make_client(loop, clock, {.ca_file = "/nonexistent/ca.pem"});
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().where() == "outbound.ca_file");
}
