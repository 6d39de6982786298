#pragma once
// The topology: who publishes what where, who consumes it, with which rights. One table; the definitions file, the rights, the README's table
// and every program's queue names come from it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postroom::broker {

// A process kind = its AMQP user = its folder = its config section.
struct ProcessKind {
  std::string_view name;
};

struct Exchange {
  std::string_view name;
  std::string_view kind;       // direct | topic | fanout
  std::string_view alternate;  // where unroutable messages go; empty = they are returned or dropped
};

struct Queue {
  std::string_view name;
  std::string_view exchange;
  std::string_view key;       // routing key that leads here
  std::string_view consumer;  // process kind
  std::uint16_t prefetch;
  std::int64_t delivery_limit;  // 0 = none: what a killed process held must not count against innocents
  bool dead_letters;            // to `standby`, at least once
};

// One message type's way.
struct Route {
  std::string_view type;
  std::string_view exchange;
  std::string_view key;         // "<reply-to>" for replies, "<type>" for events
  std::string_view publishers;  // process kinds, comma separated
};

namespace names {
inline constexpr std::string_view cmd = "cmd", result = "result", work = "work", reply = "reply", event = "event", standby = "standby";
inline constexpr std::string_view ledger_now = "ledger.now", ledger_intake = "ledger.intake", ledger_results = "ledger.results";
inline constexpr std::string_view key_now = "now", key_intake = "intake", key_result = "result";
}  // namespace names

std::span<const ProcessKind> process_kinds();
std::span<const Exchange> exchanges();
std::span<const Queue> queues();
std::span<const Route> routes();

const Queue* find_queue(std::string_view name);
const Route* find_route(std::string_view type);
bool may_publish(std::string_view user, std::string_view type);  // the ledger checks user_id with this

// Names of an instance's own queues. `instance` is unique among running processes, e.g. "4711-01jd…".
std::string reply_queue(std::string_view user, std::string_view instance);  // reply.<user>.<instance>
std::string event_queue(std::string_view user, std::string_view instance);  // event.<user>.<instance>

}  // namespace postroom::broker
