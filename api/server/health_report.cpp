#include "api/server/health_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "api/server/metrics_join.hpp"
#include "common/base/text.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::api {

Reply health_report(std::vector<std::string> reasons, const std::vector<Neighbour>& neighbours) {
  std::string processes;
  for (const auto& neighbour : neighbours) {
    const auto answer = JsonDocument::parse(neighbour.answer);
    const bool is_told = answer && answer->root().is_object();
    if (!is_told) {
      reasons.push_back(fmt::format("{} did not answer", neighbour.process));
    } else if (answer->root()["status"].string() != "ok") {
      const Json told = answer->root()["reasons"];
      for (std::size_t n = 0; n < told.size(); ++n) reasons.push_back(fmt::format("{}: {}", neighbour.process, told.at(n).string()));
      if (told.size() == 0) reasons.push_back(fmt::format("{} is {}", neighbour.process, answer->root()["status"].string()));
    }
    processes += fmt::format(R"({}{{"process":"{}","health":{}}})", processes.empty() ? "" : ",", json_escaped(neighbour.process),
                             is_told ? answer->root().dump() : "null");
  }
  std::string list;
  for (const auto& reason : reasons) list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", json_escaped(reason));
  return Reply{.status = 200,
               .body = fmt::format(R"({{"status":"{}","reasons":[{}],"name":"api","pid":{},"processes":[{}]}})", reasons.empty() ? "ok" : "degraded", list,
                                   getpid(), processes)};
}

Reply metrics_report(const std::vector<Neighbour>& neighbours) {
  std::vector<std::pair<std::string, std::string>> texts{{fmt::format("api-{}", getpid()), metrics::render()}};
  for (const auto& neighbour : neighbours) {
    if (!neighbour.answer.empty()) texts.emplace_back(neighbour.process, neighbour.answer);
  }
  return Reply{.status = 200, .body = join_metrics(texts), .type = BodyType::open_metrics};
}

}  // namespace postroom::api
