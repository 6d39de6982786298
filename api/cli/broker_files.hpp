#pragma once
// The files of the private RabbitMQ node, rendered from the configuration: pure text, no disk. Settings as tried in
// Debian 12's RabbitMQ 3.10.

#include <filesystem>
#include <string>

#include "common/base/config.hpp"

namespace postroom::cli {

// Where they lie: HOME/etc/rabbitmq; the node's own data: HOME/data/rabbitmq.
std::filesystem::path broker_folder(const Config& config);

std::string render_rabbitmq_conf(const Config& config);
std::string render_enabled_plugins();

// Shell assignments (NAME='value'), to be sourced with `set -a` before rabbitmq-server, rabbitmqctl and epmd.
std::string render_broker_environment(const Config& config);

}  // namespace postroom::cli
