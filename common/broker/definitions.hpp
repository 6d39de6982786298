#pragma once
// The topology table as RabbitMQ reads it (a definitions file) and as people read it (the README's table).

#include <map>
#include <string>
#include <string_view>

namespace postroom::broker {

// What a user may do, as RabbitMQ's regular expressions on names. Empty sets are "^$".
struct Rights {
  std::string configure;  // declare and delete: own reply and event queues only
  std::string write;      // publish to these exchanges (and bind own queues)
  std::string read;       // consume these queues (and bind own queues to these exchanges)
};

// `user`: a process kind, or "operator", who may look through the management API and touch nothing.
Rights rights_of(std::string_view user);

// The definitions file for `vhost`. `password_hashes`: user → crypto::rabbitmq_password_hash(); users of the topology that are missing there
// are left out. Give it to a node by definitions.import_backend = local_filesystem, definitions.local.path = FILE.
std::string definitions_json(std::string_view vhost, const std::map<std::string, std::string>& password_hashes);

// Markdown tables of exchanges, types and queues.
std::string topology_markdown();

}  // namespace postroom::broker
