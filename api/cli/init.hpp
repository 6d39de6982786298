#pragma once
// `postroom init`: makes a home (folders, secrets, ports, configuration, the broker's files), or completes one. Never
// overwrites what exists.

#include <filesystem>

namespace postroom::cli {

struct InitOptions {
  std::filesystem::path home;  // empty: POSTROOM_HOME, else ./.postroom
  bool force_ports = false;    // choose the loopback ports anew (all processes must be stopped)
  bool force_config = false;   // write etc/postroom.toml anew with today's comments; values stay, own comments go
  bool force_master_key =
      false;  // a lost master key: mint another; every connection's secret must then be entered again
};

// Prints what it made. The exit status: 0, or 1 with the reason on standard error.
int run_init(const InitOptions& options);

}  // namespace postroom::cli
