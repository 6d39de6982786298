#pragma once
// Health and metrics of one process on a unix socket: GET /healthz (what the owner says) and GET /metrics (OpenMetrics), HTTP/1.0 style.
// For `curl --unix-socket`, for the api that joins the sockets of its host, and for tests. Never a door for the network.

#include <functional>
#include <memory>
#include <string>

#include "common/loop/loop.hpp"

namespace postroom::loop {

class HealthServer {
 public:
  // Listens at `path` (mode 0600; a file that is there already is replaced: the name carries our pid, so it is a dead process's) and calls
  // `health_json` on the loop's thread. A request is at most 4 KiB and 2 s; at most 16 at once, more are hung up on.
  // Throws std::runtime_error when it cannot listen, e.g. because the path is longer than 107 bytes.
  HealthServer(Loop& loop, std::string path, std::function<std::string()> health_json);
  ~HealthServer();  // hangs up and removes the socket file
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace postroom::loop
