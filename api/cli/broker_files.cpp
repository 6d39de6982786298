#include "api/cli/broker_files.hpp"

#include <fmt/format.h>

namespace postroom::cli {

namespace {

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

std::filesystem::path broker_folder(const Config& config) {
  return config.home / "etc" / "rabbitmq";
}

std::string render_rabbitmq_conf(const Config& config) {
  // skip_if_unchanged works with definitions.import_backend only: together with load_definitions the node does not
  // boot. Memory alarm: the node shares the machine with everything else. Disk alarm: confirmed posts are worthless on
  // a full disk.
  return fmt::format(
      "# Written by `postroom init` from etc/postroom.toml; changes here are lost.\n"
      "listeners.tcp.default = {host}:{port}\n"
      "management.tcp.ip = 127.0.0.1\n"
      "management.tcp.port = {management_port}\n"
      "definitions.import_backend = local_filesystem\n"
      "definitions.local.path = {folder}/definitions.json\n"
      "definitions.skip_if_unchanged = true\n"
      "vm_memory_high_watermark.relative = 0.3\n"
      "disk_free_limit.absolute = 200MB\n"
      "heartbeat = {heartbeat}\n"
      "collect_statistics_interval = 10000\n"
      "raft.wal_max_size_bytes = 64000000\n"  // of quorum queues; the default lets 512 MB pile up in memory
      "log.console = true\n"
      "log.console.level = warning\n"
      "log.console.formatter = json\n"
      "log.file = false\n",
      fmt::arg("host", config.broker.host), fmt::arg("port", config.broker.port),
      fmt::arg("management_port", config.broker.management_port), fmt::arg("folder", broker_folder(config).string()),
      fmt::arg("heartbeat", config.broker.heartbeat.count() / 1000));
}

std::string render_enabled_plugins() {
  return "[rabbitmq_management].\n";
}

std::string render_broker_environment(const Config& config) {
  const auto folder = broker_folder(config);
  const auto data = config.home / "data" / "rabbitmq";
  std::string text = "# Written by `postroom init` from etc/postroom.toml; changes here are lost.\n";
  const auto set = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{}={}\n", name, shell_quoted(value));
  };
  set("RABBITMQ_NODENAME", config.broker.node_name + "@localhost");
  set("RABBITMQ_NODE_PORT", std::to_string(config.broker.port));
  set("RABBITMQ_NODE_IP_ADDRESS", config.broker.host);
  set("RABBITMQ_DIST_PORT", std::to_string(config.broker.dist_port));
  set("RABBITMQ_MNESIA_BASE", data / "mnesia");
  set("RABBITMQ_LOG_BASE", config.home / "log" / "rabbitmq");
  set("RABBITMQ_PID_FILE", config.home / "run" / "rabbitmq.pid");
  set("RABBITMQ_ENABLED_PLUGINS_FILE", folder / "enabled_plugins");
  set("RABBITMQ_CONFIG_FILE", folder / "rabbitmq");
  set("RABBITMQ_GENERATED_CONFIG_DIR", config.home / "run" / "rabbitmq-config");
  set("RABBITMQ_CONF_ENV_FILE", "/dev/null");  // the machine's own settings are for the machine's own node
  // Loopback only, for the name service and the distribution too; no busy waiting on a machine that others need.
  set("ERL_EPMD_ADDRESS", "127.0.0.1");
  set("ERL_EPMD_PORT", std::to_string(config.broker.epmd_port));
  set("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
      "-noinput +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}");
  set("RABBITMQ_ALLOW_INPUT", "1");  // no shell between the supervisor and the node: a signal reaches it, and a killed one is gone
  set("HOME", data);  // the Erlang cookie
  return text;
}

}  // namespace postroom::cli
