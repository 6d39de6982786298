#include "common/loop/health_server.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "common/metrics/metrics.hpp"

using namespace postroom;

namespace {

// A server on its own loop and thread, in a private folder.
struct House {
  House() : folder(make_folder()), path(folder / "test-1.sock") {
    thread = std::thread([this] {
      loop::Loop loop;
      loop::HealthServer server{loop, path, [] { return std::string{R"({"status":"ok"})"}; }};
      running = &loop;
      ready.test_and_set();
      ready.notify_all();
      loop.run();
    });
    ready.wait(false);
  }
  ~House() {
    running->post([this] { running->stop(); });
    thread.join();
    CHECK_FALSE(std::filesystem::exists(path));
    std::filesystem::remove_all(folder);
  }

  static std::filesystem::path make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "health-XXXXXX").string();
    return mkdtemp(name.data());
  }

  int connect() const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }

  // Sends and reads until the server hangs up.
  std::string ask(const std::string& request) const {
    const int fd = connect();
    CHECK(send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
    std::string answer;
    char part[4096];
    for (ssize_t count = 0; (count = recv(fd, part, sizeof part, 0)) > 0;) answer.append(part, static_cast<std::size_t>(count));
    close(fd);
    return answer;
  }

  std::filesystem::path folder;
  std::filesystem::path path;
  loop::Loop* running = nullptr;
  std::atomic_flag ready;
  std::thread thread;
};

}  // namespace

TEST_CASE("health and metrics are answered, everything else is not found") {
  const House house;
  metrics::counter("asked").add();
  const auto health = house.ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(health.starts_with("HTTP/1.0 200 OK\r\n"));
  CHECK(health.ends_with("\r\n\r\n{\"status\":\"ok\"}"));
  const auto metrics = house.ask("GET /metrics HTTP/1.0\r\n\r\n");
  CHECK(metrics.find("postroom_asked_total 1\n") != std::string::npos);
  CHECK(metrics.ends_with("# EOF\n"));
  CHECK(house.ask("GET /etc/passwd HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 404"));
  CHECK(house.ask("POST /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 404"));
}

TEST_CASE("the socket belongs to its owner alone") {
  const House house;
  struct stat found {};
  REQUIRE(stat(house.path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("a visitor who says nothing, or too much, is hung up on") {
  const House house;
  CHECK(house.ask("GET /healthz HTTP/1.0\r\nX: " + std::string(4096, 'x')).empty());
  const auto began = std::chrono::steady_clock::now();
  CHECK(house.ask("GET /hea").empty());
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took > std::chrono::milliseconds{1500});
  CHECK(took < std::chrono::seconds{10});
}

TEST_CASE("a name too long for a unix socket is refused, not cut") {
  loop::Loop loop;
  CHECK_THROWS_WITH_AS((loop::HealthServer{loop, "/tmp/" + std::string(120, 'x'), [] { return std::string{}; }}),
                       doctest::Contains("shorter POSTROOM_HOME"), std::runtime_error);
}
