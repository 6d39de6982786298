#pragma once
// What the api tells of itself and its neighbours on this host.

#include <string>
#include <vector>

#include "api/http.hpp"

namespace postroom::api {

struct Neighbour {
  std::string process;  // <name>-<pid>
  std::string answer;   // body; empty: it did not answer in time
};

// {"status", "reasons", "name", "pid", "processes": […]}; degraded when any of them is, or did not answer. Always 200: we are alive.
Reply health_report(std::vector<std::string> own_reasons, const std::vector<Neighbour>& neighbours);

// All processes' metrics as one OpenMetrics text, our own first.
Reply metrics_report(const std::vector<Neighbour>& neighbours);

}  // namespace postroom::api
