#include <doctest/doctest.h>
#include <stdlib.h>

#include "tests/component/http/fault_server.hpp"

using namespace postroom;
using namespace postroom::http;
using std::chrono::milliseconds;

TEST_CASE("an answer comes back with status, headers, body and timing") {
  FaultServer server;
  Bench bench;
  const Reply reply = bench.get(server.url("http", "plain", "/"));
  CHECK(reply.failure == Failure::none);
  CHECK(reply.status == 200);
  CHECK(reply.header("x-one") == "1");
  CHECK(reply.body == "hello");
  CHECK(reply.was_sent);
  CHECK(reply.bytes_sent > 0);
  CHECK(reply.remote_address == "127.0.0.1");
}

TEST_CASE("method, headers, credentials and body arrive as asked, and nothing asks for compression") {
  FaultServer server;
  Bench bench;
  const Reply reply = bench.fetch({.method = "POST",
                                   .url = server.url("http", "plain", "/echo?a=b"),
                                   .headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}},
                                   .basic_auth = BasicAuth{"me@example.org", "s3cret:x"},
                                   .body = "{\"a\":1}",
                                   .is_repeatable = false});
  CHECK(reply.body.starts_with("POST /echo?a=b HTTP/1.1\r\n"));
  CHECK(reply.body.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(reply.body.find("\r\nX-Empty:") != std::string::npos);
  CHECK(reply.body.find("\r\nAuthorization: Basic bWVAZXhhbXBsZS5vcmc6czNjcmV0Ong=\r\n") != std::string::npos);
  CHECK(reply.body.find("Accept-Encoding") == std::string::npos);
  CHECK(reply.body.find("Expect") == std::string::npos);
  CHECK(reply.body.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("a POST that must not repeat is sent once when its connection dies") {
  FaultServer server;
  Bench bench;
  const std::string url = server.url("http", "plain", "/dies-when-kept");
  REQUIRE(bench.get(url).status == 200);  // leaves a kept connection behind
  const Reply create = bench.fetch({.method = "POST", .url = url, .body = "{}", .is_repeatable = false});
  CHECK(create.status == 200);  // on a fresh connection
  CHECK(bench.get(server.url("http", "plain", "/count/dies-when-kept")).body == "2");
  // And the fresh one is not kept for others.
  const Reply again = bench.fetch({.method = "POST", .url = url, .body = "{}", .is_repeatable = false});
  CHECK(again.status == 200);
  CHECK(bench.get(server.url("http", "plain", "/count/dies-when-kept")).body == "3");
}

TEST_CASE("a connection that breaks after the request says: sent, and no answer") {
  FaultServer server;
  Bench bench;
  for (const char* path : {"/reset", "/short"}) {
    CAPTURE(path);
    const Reply reply = bench.fetch({.method = "POST", .url = server.url("http", "plain", path), .body = "{}", .is_repeatable = false});
    CHECK(reply.failure == Failure::reset_after_send);
    CHECK(reply.was_sent);
    CHECK(bench.get(server.url("http", "plain", std::string{"/count"} + path)).body == "1");
  }
}

TEST_CASE("nobody listening and unknown names say: certainly not sent") {
  Bench bench;
  const Reply refused = bench.get("http://127.0.0.1:1/");
  CHECK(refused.failure == Failure::connect);
  CHECK_FALSE(refused.was_sent);
  CHECK(refused.bytes_sent == 0);
  const Reply unknown = bench.get("https://nowhere.postroom.test/");
  CHECK(unknown.failure == Failure::dns);
  CHECK_FALSE(unknown.was_sent);
  CHECK(unknown.detail.find("nowhere.postroom.test") != std::string::npos);
}

TEST_CASE("private addresses are refused at the socket, also behind a name") {
  FaultServer server;
  Bench strict{ClientSettings{}};
  for (const std::string& url : {server.url("http", "plain", "/"), server.url("https", "tls", "/"), server.url("https", "tls", "/", "localhost"),
                                 server.url("https", "tls", "/", "loopback.postroom.test"), server.url("https", "tls", "/", "[::ffff:127.0.0.1]"),
                                 server.url("https", "tls", "/", "2130706433"), server.url("https", "tls", "/", "0x7f.1"),
                                 std::string{"https://metadata.postroom.test/latest/meta-data"}, std::string{"https://[::1]/"}}) {
    CAPTURE(url);
    const Reply reply = strict.get(url);
    CHECK(reply.failure == Failure::blocked_address);
    CHECK_FALSE(reply.was_sent);
    CHECK(reply.detail.find("outbound.allow") != std::string::npos);
  }
  Bench counting;
  CHECK(counting.get(server.url("http", "plain", "/countconnections")).body == "1");  // only the one that asked
}

TEST_CASE("plain http goes to listed addresses only, however public the address") {
  Bench bench;
  const Reply reply = bench.fetch({.url = "http://1.1.1.1/", .timeout = milliseconds{500}});
  CHECK(reply.failure == Failure::blocked_address);
}

TEST_CASE("the total deadline wins over progress") {
  FaultServer server;
  Bench bench;
  for (const char* path : {"/drip", "/hang"}) {
    CAPTURE(path);
    const Reply reply = bench.fetch({.url = server.url("http", "plain", path), .timeout = milliseconds{300}});
    CHECK(reply.failure == Failure::timeout);
    CHECK(reply.was_sent);
    CHECK(reply.took < milliseconds{10'000});  // the far side would go on for good
  }
}

TEST_CASE("bodies and heads beyond the limit end the exchange at once") {
  FaultServer server;
  Bench bench;
  for (const char* path : {"/ten-gigabytes", "/endless", "/endless-head"}) {
    CAPTURE(path);
    const Reply reply = bench.get(server.url("http", "plain", path));
    CHECK(reply.failure == Failure::too_large);
    CHECK(reply.body.size() <= (8U << 20));
    CHECK(reply.took < milliseconds{20'000});  // eight megabytes on a slow machine; the far side would go on for good
  }
}

TEST_CASE("a gzip bomb stays packed") {
  FaultServer server;
  Bench bench;
  const Reply reply = bench.get(server.url("http", "plain", "/bomb"));
  CHECK(reply.failure == Failure::none);
  CHECK(reply.body.size() < 100'000);
}

TEST_CASE("redirects are answers, not orders") {
  FaultServer server;
  Bench bench;
  CHECK(bench.get(server.url("http", "plain", "/redirect")).status == 302);
  CHECK(bench.get(server.url("http", "plain", "/count/redirected")).body == "0");
}

TEST_CASE("what is not HTTP is a protocol failure") {
  FaultServer server;
  Bench bench;
  CHECK(bench.get(server.url("http", "plain", "/not-http")).failure == Failure::protocol);
}

TEST_CASE("the environment's proxy is not used") {
  FaultServer server;
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  Bench bench;
  CHECK(bench.get(server.url("http", "plain", "/")).status == 200);
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

TEST_CASE("control bytes and odd URLs are refused before a connection is opened") {
  FaultServer server;
  Bench bench;
  const std::string good = server.url("http", "plain", "/");
  const std::vector<Request> wrong{
      {.url = good + "\r\nX-Injected: 1"},
      {.url = good + " HTTP/1.1"},
      {.url = good, .headers = {{"X-A", "1\r\nX-Injected: 1"}}},
      {.url = good, .headers = {{"X-A", "1\nX"}}},
      {.url = good, .headers = {{"X-A\r\nB", "1"}}},
      {.url = good, .headers = {{"", "1"}}},
      {.url = good, .basic_auth = BasicAuth{"me", "x\r\ny"}},
      {.url = good, .basic_auth = BasicAuth{"a:b", "x"}},
      {.method = "GET / HTTP/1.1\r\nX:", .url = good},
      {.url = "ftp://127.0.0.1/"},
      {.url = "file:///etc/passwd"},
      {.url = "https://user:pass@127.0.0.1/"},
      {.url = "https:///path"},
      {.url = ""},
  };
  for (const auto& request : wrong) {
    CAPTURE(request.url);
    const Reply reply = bench.fetch(request);
    CHECK(reply.failure == Failure::refused_request);
    CHECK_FALSE(reply.was_sent);
    CHECK_FALSE(reply.detail.empty());
  }
  CHECK(bench.get(server.url("http", "plain", "/countconnections")).body == "1");
}

TEST_CASE("after first_byte_by nothing is sent, also when the handshake ate the time") {
  FaultServer server;
  Bench bench{{.allow = {"127.0.0.0/8"}, .ca_file = server.folder() + "/ca.pem"}};
  const Reply late = bench.fetch({.method = "POST", .url = server.url("http", "plain", "/late"), .first_byte_by = bench.clock.steady() - milliseconds{1}});
  CHECK(late.failure == Failure::too_late);
  CHECK_FALSE(late.was_sent);
  // In time when it is asked for, too late when the handshake is done: that takes longer than this.
  const Reply slow = bench.fetch(
      {.method = "POST", .url = server.url("https", "tls", "/late", "localhost"), .first_byte_by = bench.clock.steady() + std::chrono::microseconds{300}});
  CHECK(slow.failure == Failure::too_late);
  CHECK_FALSE(slow.was_sent);
  CHECK(bench.get(server.url("http", "plain", "/count/late")).body == "0");
}

TEST_CASE("a slow name does not hold up others, nor its own deadline") {
  FaultServer server;
  Bench bench;
  const auto started = bench.clock.steady();
  const auto replies = bench.fetch_all({{.url = "https://slow.postroom.test/", .timeout = milliseconds{300}}, {.url = server.url("http", "plain", "/")}});
  CHECK(replies[0].failure == Failure::timeout);
  CHECK_FALSE(replies[0].was_sent);
  CHECK(replies[1].status == 200);
  CHECK(bench.clock.steady() - started < milliseconds{4'000});  // the name takes five seconds
}

TEST_CASE("cancel ends an exchange and says whether it had left") {
  FaultServer server;
  Bench bench;
  Reply reply;
  const ExchangeId id = bench.http->send({.url = server.url("http", "plain", "/hang")}, [&](Reply got) {
    reply = std::move(got);
    bench.loop.stop();
  });
  CHECK_FALSE(bench.http->has_left(id));
  // Cancelled once the far side has seen it.
  std::function<void()> look = [&] {
    bench.http->send({.url = server.url("http", "plain", "/count/hang")}, [&](Reply count) {
      if (count.body != "1") return look();
      CHECK(bench.http->has_left(id));
      bench.http->cancel(id);
    });
  };
  look();
  bench.loop.run();
  CHECK(reply.failure == Failure::cancelled);
  CHECK(reply.was_sent);
  CHECK_FALSE(bench.http->has_left(id));
  bench.http->cancel(id);  // nothing happens
}

TEST_CASE("a client may be destroyed with exchanges under way") {
  FaultServer server;
  Bench bench;
  bench.http->send({.url = server.url("http", "plain", "/hang")}, [](Reply) { FAIL("no callback after destruction"); });
  bench.http->send({.url = "wrong"}, [](Reply) { FAIL("no callback after destruction"); });
  bench.http.reset();
  bench.loop.post([&] { bench.loop.stop(); });
  bench.loop.run();
}
