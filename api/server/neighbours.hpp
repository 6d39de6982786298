#pragma once
// The other processes of this host, asked for health and metrics over their unix sockets (HOME/run/health/<name>-<pid>.sock), all at once,
// at most a second and 4 MiB each. A socket that nobody listens on is a dead process's: it is skipped and removed.

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/server/health_report.hpp"

namespace postroom::api {

class Neighbours {
 public:
  Neighbours(boost::asio::any_io_executor loop, std::filesystem::path folder) : loop_(std::move(loop)), folder_(std::move(folder)) {}

  // `path` is /healthz or /metrics. `done` is called once, on the loop, sorted by process.
  void ask(std::string_view path, std::function<void(std::vector<Neighbour>)> done);

 private:
  boost::asio::any_io_executor loop_;
  std::filesystem::path folder_;
};

}  // namespace postroom::api
