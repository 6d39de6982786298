// postroom, the command line of one installation.

#include <CLI/CLI.hpp>

#include "api/cli/config.hpp"
#include "api/cli/init.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Postroom's command line"};
  app.require_subcommand(1);

  postroom::cli::InitOptions options;
  auto* init = app.add_subcommand("init", "make a home: folders, secrets, ports, configuration, the broker's files");
  init->add_option("--home", options.home, "where (default: POSTROOM_HOME, else ./.postroom)");
  init->add_flag("--force-ports", options.force_ports, "choose the loopback ports anew; stop everything first");
  init->add_flag("--force-config", options.force_config, "write etc/postroom.toml anew; values stay, own comments go");
  init->add_flag("--force-master-key", options.force_master_key,
                 "mint a new master key; connections' secrets must be entered again");

  std::filesystem::path home;
  auto* config = app.add_subcommand("config", "the configuration");
  config->require_subcommand(1);
  auto* check = config->add_subcommand("check", "every key in force, its source, and what is wrong");
  check->add_option("--home", home, "where (default: POSTROOM_HOME, else ./.postroom)");

  CLI11_PARSE(app, argc, argv);
  return *init ? postroom::cli::run_init(options) : postroom::cli::run_config_check(home);
}
