#include "common/broker/definitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "common/base/text.hpp"
#include "common/broker/topology.hpp"

namespace postroom::broker {

namespace {

using Names = std::set<std::string>;

// The names and prefixes as one anchored regular expression; RabbitMQ takes what it is given, so dots are escaped.
std::string anchored(const Names& names) {
  std::string alternatives;
  for (const auto& name : names) {
    if (!alternatives.empty()) alternatives.push_back('|');
    for (const char c : name) {
      if (c == '.') alternatives.push_back('\\');
      alternatives.push_back(c);
    }
  }
  return names.empty() ? "^$" : fmt::format("^({})$", alternatives);
}

// "reply.jira." and everything below it; the star survives `anchored`, which escapes only dots.
std::string below(std::string_view exchange, std::string_view user) { return fmt::format("{}.{}.[-0-9a-z]+", exchange, user); }

// Everybody who asks the ledger waits for an answer on an own queue; only the api passes events on.
Names own_queue_exchanges(std::string_view user) {
  if (user == "ledger") return {};
  if (user == "api") return {std::string{names::reply}, std::string{names::event}};
  return {std::string{names::reply}};
}

bool is_process_kind(std::string_view user) {
  for (const auto& kind : process_kinds()) {
    if (kind.name == user) return true;
  }
  return false;
}

class JsonList {
 public:
  void add(std::string element) { text_ += fmt::format("{}\n    {}", text_.empty() ? "" : ",", element); }
  std::string text() const { return fmt::format("[{}\n  ]", text_); }

 private:
  std::string text_;
};

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", json_escaped(text)); }

std::string policy(std::string_view vhost, std::string_view name, const Names& applies_to, std::string_view kind, std::string_view definition) {
  return fmt::format(R"({{"vhost": {}, "name": {}, "pattern": {}, "apply-to": "{}", "priority": 0, "definition": {{{}}}}})", quoted(vhost),
                     quoted(name), quoted(anchored(applies_to)), kind, definition);
}

std::string policies(std::string_view vhost) {
  JsonList list;
  std::map<std::string_view, Names> exchanges_by_alternate;
  for (const auto& exchange : exchanges()) {
    if (!exchange.alternate.empty()) exchanges_by_alternate[exchange.alternate].emplace(exchange.name);
  }
  for (const auto& [alternate, names] : exchanges_by_alternate) {
    list.add(policy(vhost, fmt::format("unroutable-to-{}", alternate), names, "exchanges",
                    fmt::format(R"("alternate-exchange": {})", quoted(alternate))));
  }
  // Only one policy applies to a queue, so there is one for every delivery limit. At-least-once dead-lettering needs all three keys; without
  // reject-publish it would silently be at-most-once.
  std::map<std::int64_t, Names> queues_by_limit;
  for (const auto& queue : queues()) {
    if (queue.dead_letters) queues_by_limit[queue.delivery_limit].emplace(queue.name);
  }
  for (const auto& [limit, names] : queues_by_limit) {
    auto definition = fmt::format(
        R"("dead-letter-exchange": {}, "dead-letter-strategy": "at-least-once", "overflow": "reject-publish")", quoted(names::standby));
    if (limit > 0) definition += fmt::format(R"(, "delivery-limit": {})", limit);
    list.add(policy(vhost, limit > 0 ? fmt::format("dead-letters-after-{}", limit) : "dead-letters", names, "queues", definition));
  }
  return list.text();
}

}  // namespace

Rights rights_of(std::string_view user) {
  if (!is_process_kind(user)) return {"^$", "^$", "^$"};
  Names own;
  for (const auto& exchange : own_queue_exchanges(user)) own.insert(below(exchange, user));
  Names writes = own;
  for (const auto& route : routes()) {
    if (may_publish(user, route.type)) writes.emplace(route.exchange);
  }
  Names reads = own;
  reads.merge(own_queue_exchanges(user));
  for (const auto& queue : queues()) {
    if (queue.consumer == user) reads.emplace(queue.name);
  }
  return {anchored(own), anchored(writes), anchored(reads)};
}

std::string definitions_json(std::string_view vhost, const std::map<std::string, std::string>& password_hashes) {
  JsonList users;
  JsonList permissions;
  for (const auto& [user, hash] : password_hashes) {
    users.add(fmt::format(
        R"({{"name": {}, "password_hash": {}, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": [{}], "limits": {{}}}})",
        quoted(user), quoted(hash), is_process_kind(user) ? "" : R"("management", "monitoring")"));
    const auto rights = rights_of(user);
    permissions.add(fmt::format(R"({{"user": {}, "vhost": {}, "configure": {}, "write": {}, "read": {}}})", quoted(user), quoted(vhost),
                                quoted(rights.configure), quoted(rights.write), quoted(rights.read)));
  }
  JsonList exchange_list;
  for (const auto& exchange : exchanges()) {
    exchange_list.add(fmt::format(
        R"({{"vhost": {}, "name": {}, "type": {}, "durable": true, "auto_delete": false, "internal": false, "arguments": {{}}}})",
        quoted(vhost), quoted(exchange.name), quoted(exchange.kind)));
  }
  JsonList queue_list;
  JsonList bindings;
  for (const auto& queue : queues()) {
    queue_list.add(fmt::format(
        R"({{"vhost": {}, "name": {}, "durable": true, "auto_delete": false, "arguments": {{"x-queue-type": "quorum"}}}})", quoted(vhost),
        quoted(queue.name)));
    bindings.add(fmt::format(
        R"({{"vhost": {}, "source": {}, "destination": {}, "destination_type": "queue", "routing_key": {}, "arguments": {{}}}})",
        quoted(vhost), quoted(queue.exchange), quoted(queue.name), quoted(queue.key)));
  }
  return fmt::format(
      R"({{
  "vhosts": [{{"name": {}}}],
  "users": {},
  "permissions": {},
  "topic_permissions": [],
  "parameters": [],
  "global_parameters": [],
  "policies": {},
  "exchanges": {},
  "queues": {},
  "bindings": {}
}}
)",
      quoted(vhost), users.text(), permissions.text(), policies(vhost), exchange_list.text(), queue_list.text(), bindings.text());
}

std::string topology_markdown() {
  std::string out = "| exchange | kind | message types | routing key → queue | published by | consumed by |\n|---|---|---|---|---|---|\n";
  // One row for each exchange, key and set of publishers, in the table's order.
  std::vector<std::tuple<std::string_view, std::string_view, std::string_view>> shown;
  for (const auto& route : routes()) {
    const std::pair way{route.exchange, route.key};
    const std::tuple row{route.exchange, route.key, route.publishers};
    if (std::find(shown.begin(), shown.end(), row) != shown.end()) continue;
    shown.push_back(row);
    std::string types;
    for (const auto& other : routes()) {
      if (std::tuple{other.exchange, other.key, other.publishers} == row) types += fmt::format("{}`{}`", types.empty() ? "" : ", ", other.type);
    }
    std::string_view kind;
    for (const auto& exchange : exchanges()) {
      if (exchange.name == route.exchange) kind = exchange.kind;
    }
    std::string leads_to;
    std::string_view consumer;
    for (const auto& queue : queues()) {
      if (std::pair{queue.exchange, queue.key} != way) continue;
      leads_to = fmt::format("`{}` → `{}`", queue.key, queue.name);
      consumer = queue.consumer;
    }
    if (leads_to.empty()) {
      const bool is_reply = route.exchange == names::reply;
      leads_to = fmt::format("`{}` → own queue `{}.<user>.<instance>`", is_reply ? "<reply-to>" : "<type>", route.exchange);
      consumer = is_reply ? "who asked" : "api";
    }
    std::string publishers;
    for (const char c : route.publishers) publishers += c == ',' ? std::string{", "} : std::string{c};
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", route.exchange, kind, types, leads_to, publishers, consumer);
  }
  for (const auto& queue : queues()) {
    if (queue.key.empty()) {
      out += fmt::format("| `{}` | fanout | what was unroutable or given up | → `{}` | the broker | {} |\n", queue.exchange, queue.name,
                         queue.consumer);
    }
  }
  out += "\n| queue | prefetch | delivery limit | dead letters to |\n|---|---|---|---|\n";
  for (const auto& queue : queues()) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", queue.name, queue.prefetch,
                       queue.delivery_limit > 0 ? fmt::format("{}", queue.delivery_limit) : "none", queue.dead_letters ? "`standby`" : "–");
  }
  return out;
}

}  // namespace postroom::broker
