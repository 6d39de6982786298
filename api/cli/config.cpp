#include "api/cli/config.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "common/base/config_keys.hpp"
#include "common/broker/topology.hpp"

namespace postroom::cli {

namespace {

// What only this machine can tell: whether the files that the configuration leads to are there and closed to others.
void judge_files(const Config& config, std::vector<Error>& problems) {
  std::vector<std::string> secrets{"master-key", "key-jira", "key-trello", "admin-token", "broker-operator"};
  for (const auto& kind : broker::process_kinds()) secrets.push_back("broker-" + std::string{kind.name});
  for (const auto& name : secrets) {
    if (auto secret = read_secret(config, name); !secret.ok()) problems.push_back(secret.error());
  }
  const auto folder = config.home / "secrets";
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0)
    problems.emplace_back(Code::unauthorized, "others may look into the folder of secrets; `chmod 700` it",
                          folder.string());
  if (!config.outbound.ca_file.empty() && ::access(config.outbound.ca_file.c_str(), R_OK) != 0)
    problems.emplace_back(Code::not_found, "outbound.ca_file cannot be read", config.outbound.ca_file);
}

void judge_ports(const Config& config, std::vector<Error>& problems) {
  std::map<std::uint16_t, std::string> owners;
  const std::array ports{
      std::pair{config.broker.port, "broker.port"}, std::pair{config.broker.management_port, "broker.management_port"},
      std::pair{config.broker.epmd_port, "broker.epmd_port"}, std::pair{config.broker.dist_port, "broker.dist_port"},
      std::pair{config.api.listen_port, "api.listen_port"}};
  for (const auto& [port, name] : ports) {
    if (port == 0) continue;
    const auto [first, is_new] = owners.emplace(port, name);
    if (!is_new) problems.emplace_back(Code::conflict, fmt::format("{} and {} are both {}", first->second, name, port));
  }
}

}  // namespace

int run_config_check(const std::filesystem::path& home) {
  config::Inspection found = config::inspect(home);
  judge_ports(found.config, found.problems);
  judge_files(found.config, found.problems);

  fmt::print("home = \"{}\"\n", found.config.home.string());
  std::size_t width = 0;
  for (const auto& key : found.keys) width = std::max(width, key.name.size() + key.value.size() + 3);
  for (const auto& key : found.keys) {
    fmt::print("{:{}}  # {}\n", fmt::format("{} = {}", key.name, key.value), std::min<std::size_t>(width, 72),
               key.source);
  }
  for (const auto& warning : found.warnings) fmt::print("warning: {}\n", warning);
  for (const auto& problem : found.problems) fmt::print("wrong: {}\n", problem.text());
  fmt::print("{}\n", found.problems.empty() ? "nothing is wrong" : fmt::format("{} wrong", found.problems.size()));
  return found.problems.empty() ? 0 : 1;
}

}  // namespace postroom::cli
