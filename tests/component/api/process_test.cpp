// The process itself: how it starts, ends and dies.

#include <doctest/doctest.h>
#include <signal.h>

#include <future>

#include "tests/component/api/running_api.hpp"

using namespace postroom::support;
using std::chrono::seconds;

TEST_CASE("SIGTERM lets the request under way finish and takes no new ones") {
  RunningApi api{{{"POSTROOM_API_PUBLISH_TIMEOUT_MS", "30000"}}};
  RawConnection idle{api.port()};
  RawConnection busy{api.port()};
  const std::string body = R"({"name":"Slow"})";
  busy.send("POST /v1/boards HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nPrefer: wait=2\r\nAuthorization: Bearer " + api.token() +
            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  RawConnection other{api.port()};
  other.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(other.read_reply().status == 200);  // what came before it is under way now
  const auto started = std::chrono::steady_clock::now();
  api.signal(SIGTERM);
  CHECK(idle.is_closed(seconds{5}));
  CHECK_THROWS(RawConnection{api.port()});
  const auto reply = busy.read_reply();
  CHECK(reply.status == 202);
  CHECK(reply.headers.at("connection") == "close");
  CHECK(api.wait() == 0);
  CHECK(std::chrono::steady_clock::now() - started < seconds{10});
}

TEST_CASE("many callers at once are all served") {
  auto& api = RunningApi::shared();
  std::vector<std::unique_ptr<RawConnection>> callers;
  for (int n = 0; n < 300; ++n) {
    callers.push_back(std::make_unique<RawConnection>(api.port()));
    callers.back()->send("GET /v1/boards HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + api.token() + "\r\n\r\n");
  }
  for (auto& caller : callers) CHECK(caller->read_reply().status == 200);
}
