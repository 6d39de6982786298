#include <fmt/format.h>

#include "api/cli/commands.hpp"
#include "api/cli/table.hpp"
#include "common/broker/topology.hpp"

namespace postroom::cli {

namespace {

std::string joined(api::Json reasons) {
  std::string text;
  for (std::size_t n = 0; n < reasons.size(); ++n) text += fmt::format("{}{}", text.empty() ? "" : "; ", reasons.at(n).string());
  return text;
}

}  // namespace

int run_status(const Frame& frame) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto answer = client->ask("GET", "/v1/healthz");
  const auto health = answer.document.root();
  const int told = tell(frame, answer, [&] {
    Table table{{"PROCESS", "STATUS", "REASONS"}};
    const auto processes = health["processes"];
    // The api's own reasons are those that no neighbour's name begins.
    std::string own;
    for (std::size_t n = 0; n < health["reasons"].size(); ++n) {
      const auto reason = health["reasons"].at(n).string();
      bool is_neighbours = false;
      for (std::size_t p = 0; p < processes.size(); ++p) is_neighbours = is_neighbours || reason.starts_with(processes.at(p)["process"].string());
      if (!is_neighbours) own += fmt::format("{}{}", own.empty() ? "" : "; ", reason);
    }
    table.add({fmt::format("api-{}", health["pid"].integer().value_or(0)), own.empty() ? "ok" : "degraded", own});
    for (std::size_t n = 0; n < processes.size(); ++n) {
      const auto process = processes.at(n);
      const bool is_told = process["health"].is_object();
      table.add({std::string{process["process"].string()}, is_told ? std::string{process["health"]["status"].string()} : "silent",
                 is_told ? joined(process["health"]["reasons"]) : "did not answer in a second"});
    }
    // Workers may run elsewhere: who is not here is named, and nobody's fault.
    for (const auto& kind : broker::process_kinds()) {
      bool is_here = kind.name == "api";
      for (std::size_t n = 0; n < processes.size(); ++n) is_here = is_here || processes.at(n)["process"].string().starts_with(fmt::format("{}-", kind.name));
      if (!is_here) table.add({std::string{kind.name}, "absent", "not on this host"});
    }
    table.print();
  });
  return told == succeeded && health["status"].string() != "ok" ? failed : told;
}

}  // namespace postroom::cli
