#include "common/base/config_keys.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace postroom::config {

namespace {

constexpr std::int64_t day_ms = 86'400'000;

// clang-format off
constexpr std::array key_table{
    Key{"installation", "id", [](Config& c) -> Slot { return &c.installation.id; }, 0, 0, "UUID of this installation, part of every marker in Jira and Trello; never change it"},
    Key{"installation", "name", [](Config& c) -> Slot { return &c.installation.name; }, 0, 0, "shown to people"},

    Key{"broker", "host", [](Config& c) -> Slot { return &c.broker.host; }, 0, 0, "RabbitMQ's host"},
    Key{"broker", "port", [](Config& c) -> Slot { return &c.broker.port; }, 1, 65535, "AMQP port"},
    Key{"broker", "vhost", [](Config& c) -> Slot { return &c.broker.vhost; }, 0, 0, "virtual host with Postroom's exchanges and queues"},
    Key{"broker", "management_port", [](Config& c) -> Slot { return &c.broker.management_port; }, 0, 65535, "RabbitMQ's HTTP API, read by `postroom queues`; 0 = there is none"},
    Key{"broker", "epmd_port", [](Config& c) -> Slot { return &c.broker.epmd_port; }, 1, 65535, "name service of the private node that scripts/run starts"},
    Key{"broker", "dist_port", [](Config& c) -> Slot { return &c.broker.dist_port; }, 1, 65535, "Erlang distribution of the private node"},
    Key{"broker", "node_name", [](Config& c) -> Slot { return &c.broker.node_name; }, 0, 0, "name of the private node, before the @"},
    Key{"broker", "heartbeat_ms", [](Config& c) -> Slot { return &c.broker.heartbeat; }, 1'000, 600'000, "AMQP heartbeat; two missed ones end a connection"},

    Key{"api", "listen_host", [](Config& c) -> Slot { return &c.api.listen_host; }, 0, 0, "address that the HTTP server listens on"},
    Key{"api", "listen_port", [](Config& c) -> Slot { return &c.api.listen_port; }, 0, 65535, "its port; 0 = any free one"},
    Key{"api", "public_url", [](Config& c) -> Slot { return &c.api.public_url; }, 0, 0, "base of the links that people get; empty = http://listen_host:listen_port"},
    Key{"api", "body_limit", [](Config& c) -> Slot { return &c.api.body_limit; }, 1'024, 1 << 20, "longest request body in bytes"},
    Key{"api", "publish_timeout_ms", [](Config& c) -> Slot { return &c.api.publish_timeout; }, 10, 60'000, "wait for the broker's confirm, then 503"},
    Key{"api", "reply_wait_ms", [](Config& c) -> Slot { return &c.api.reply_wait; }, 0, 60'000, "wait for the ledger's reply when the client does not say (Prefer: wait=N), then 202"},
    Key{"api", "connection_limit", [](Config& c) -> Slot { return &c.api.connection_limit; }, 1, 1'000'000, "open client connections; more are refused"},

    Key{"ledger", "round_results", [](Config& c) -> Slot { return &c.ledger.round_results; }, 1, 10'000, "messages of ledger.results in one transaction"},
    Key{"ledger", "round_intake", [](Config& c) -> Slot { return &c.ledger.round_intake; }, 1, 10'000, "messages of ledger.intake in one transaction"},
    Key{"ledger", "beat_stale_ms", [](Config& c) -> Slot { return &c.ledger.beat_stale; }, 500, 600'000, "a waiting ledger ends the active one when its beat is older"},
    Key{"ledger", "relay_retry_ms", [](Config& c) -> Slot { return &c.ledger.relay_retry; }, 10, 600'000, "wait after the broker refused an outgoing message"},
    Key{"ledger", "standby_retry_rate", [](Config& c) -> Slot { return &c.ledger.standby_retry_rate; }, 1, 10'000, "items a second of a bulk retry"},

    Key{"delivery", "http_timeout_ms", [](Config& c) -> Slot { return &c.delivery.http_timeout; }, 100, 600'000, "one request to a far side, first byte to last"},
    Key{"delivery", "jira_settle_ms", [](Config& c) -> Slot { return &c.delivery.jira_settle; }, 100, day_ms, "after this, a request that Jira received has happened or never will"},
    Key{"delivery", "trello_settle_ms", [](Config& c) -> Slot { return &c.delivery.trello_settle; }, 100, day_ms, "the same for Trello"},
    Key{"delivery", "claim_answer_ms", [](Config& c) -> Slot { return &c.delivery.claim_answer; }, 50, 60'000, "a worker asks again when the ledger has not answered its claim"},
    Key{"delivery", "first_byte_ms", [](Config& c) -> Slot { return &c.delivery.first_byte; }, 100, 60'000, "from asking for the claim to the first byte, else the job is given back"},
    Key{"delivery", "dispatch_timeout_ms", [](Config& c) -> Slot { return &c.delivery.dispatch_timeout; }, 100, day_ms, "a job that no worker claimed is dispatched again"},
    Key{"delivery", "max_attempts", [](Config& c) -> Slot { return &c.delivery.max_attempts; }, 1, 1'000, "then the delivery goes to standby"},
    Key{"delivery", "backoff_base_ms", [](Config& c) -> Slot { return &c.delivery.backoff_base; }, 10, day_ms, "first wait between attempts; doubles, with jitter"},
    Key{"delivery", "backoff_cap_ms", [](Config& c) -> Slot { return &c.delivery.backoff_cap; }, 10, day_ms, "longest wait between attempts"},
    Key{"delivery", "retry_after_cap_ms", [](Config& c) -> Slot { return &c.delivery.retry_after_cap; }, 10, day_ms, "longest Retry-After of a far side that is obeyed"},
    Key{"delivery", "window_start", [](Config& c) -> Slot { return &c.delivery.window_start; }, 1, 10'000, "unfinished jobs in the queues for one destination, at first"},
    Key{"delivery", "window_limit", [](Config& c) -> Slot { return &c.delivery.window_limit; }, 1, 10'000, "and at most"},
    Key{"delivery", "circuit_failures", [](Config& c) -> Slot { return &c.delivery.circuit_failures; }, 1, 10'000, "failures in a row that open a destination's circuit"},
    Key{"delivery", "circuit_probe_ms", [](Config& c) -> Slot { return &c.delivery.circuit_probe; }, 10, day_ms, "until one job is let through an open circuit"},

    Key{"mail", "lease_ms", [](Config& c) -> Slot { return &c.mail.lease; }, 1'000, 1'680'000, "how long one worker watches a mailbox before it is given out again"},
    Key{"mail", "lease_word_ms", [](Config& c) -> Slot { return &c.mail.lease_word; }, 100, 600'000, "between two words of the worker that watches"},
    Key{"mail", "lease_silence_ms", [](Config& c) -> Slot { return &c.mail.lease_silence; }, 200, 1'200'000, "without its word the mailbox is given to another"},
    Key{"mail", "poll_failure_base_ms", [](Config& c) -> Slot { return &c.mail.poll_failure_base; }, 100, day_ms, "until the next try after a failed poll, doubled by each further one"},
    Key{"mail", "poll_failure_cap_ms", [](Config& c) -> Slot { return &c.mail.poll_failure_cap; }, 100, day_ms, "and at most"},
    Key{"mail", "size_limit", [](Config& c) -> Slot { return &c.mail.size_limit; }, 1'024, 1 << 30, "bytes of one mail; of a larger one only the header is fetched"},
    Key{"mail", "parse_timeout_ms", [](Config& c) -> Slot { return &c.mail.parse_timeout; }, 1'000, day_ms, "a parse job of which nothing was heard is given out again"},
    Key{"mail", "parse_window", [](Config& c) -> Slot { return &c.mail.parse_window; }, 1, 10'000, "parse jobs in the queue at once"},

    Key{"notify", "smtp_timeout_ms", [](Config& c) -> Slot { return &c.notify.smtp_timeout; }, 100, 3'600'000, "one mail, from the first byte to the answer to its end"},
    Key{"notify", "smtp_settle_ms", [](Config& c) -> Slot { return &c.notify.smtp_settle; }, 0, day_ms, "and this long until silence is believed"},
    Key{"notify", "max_attempts", [](Config& c) -> Slot { return &c.notify.max_attempts; }, 1, 1'000, "then standby"},
    Key{"notify", "backoff_cap_ms", [](Config& c) -> Slot { return &c.notify.backoff_cap; }, 10, day_ms, "longest pause between two attempts"},
    Key{"notify", "hourly_limit", [](Config& c) -> Slot { return &c.notify.hourly_limit; }, 1, 100'000, "mails to one recipient within an hour; more wait"},

    Key{"outbound", "allow", [](Config& c) -> Slot { return &c.outbound.allow; }, 0, 0, "private addresses that may be called, as CIDR blocks; this file only", true},
    Key{"outbound", "ca_file", [](Config& c) -> Slot { return &c.outbound.ca_file; }, 0, 0, "further trusted certificates, a PEM file; empty = the system's only"},

    Key{"log", "level", [](Config& c) -> Slot { return &c.log.level; }, 0, 0, "least level that is written"},
    Key{"log", "format", [](Config& c) -> Slot { return &c.log.format; }, 0, 0, "json for machines, text for people"},
};
// clang-format on

constexpr std::array level_names{"debug", "info", "warning", "error"};
constexpr std::array format_names{"json", "text"};

template <class Enum, class Names>
bool set_enum(Enum& target, const Names& names, std::string_view text) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return false;
  target = static_cast<Enum>(found - names.begin());
  return true;
}

Error refused(const Key& key, std::string_view got) {
  return Error{Code::bad_message, fmt::format("{} is {}, but must be {}", full_name(key), got, wanted(key))};
}

bool is_cidr(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return false;
  const std::string address = text.substr(0, slash);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const int longest = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1    ? 32
                      : ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1 ? 128
                                                                                  : -1;
  int prefix = -1;
  const char* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data() + slash + 1, end, prefix);
  return failed == std::errc{} && stopped == end && prefix >= 0 && prefix <= longest;
}

// A quoted TOML basic string; JSON's escapes are a subset of TOML's.
std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", json_escaped(text));
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

Slot slot_of(const Key& key, const Config& config) {
  return key.slot(const_cast<Config&>(config));
}  // read only

}  // namespace

std::span<const Key> keys() {
  return key_table;
}

const Key* find_key(std::string_view section, std::string_view name) {
  const auto found =
      std::ranges::find_if(key_table, [&](const Key& key) { return key.section == section && key.name == name; });
  return found == key_table.end() ? nullptr : &*found;
}

bool is_section(std::string_view section) {
  return std::ranges::any_of(key_table, [&](const Key& key) { return key.section == section; });
}

std::string full_name(const Key& key) {
  return fmt::format("{}.{}", key.section, key.name);
}

std::string environment_name(const Key& key) {
  std::string name = fmt::format("POSTROOM_{}_{}", key.section, key.name);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::string nearest_key(std::string_view section, std::string_view name) {
  const std::string asked = name.empty() ? std::string{section} : fmt::format("{}.{}", section, name);
  const auto named = [&](const Key& key) { return name.empty() ? std::string{key.section} : full_name(key); };
  // A right name under the wrong section is the likeliest slip of all.
  const auto far = [&](const Key& key) { return key.name == name ? std::size_t{1} : edit_distance(asked, named(key)); };
  const Key& best = *std::ranges::min_element(key_table, {}, far);
  return far(best) <= std::max<std::size_t>(3, asked.size() / 3) ? named(best) : std::string{};
}

std::string wanted(const Key& key) {
  static Config sample;
  const Slot slot = key.slot(sample);
  if (full_name(key) == "installation.id") return "a UUID (`postroom init` makes one)";
  if (std::holds_alternative<std::string*>(slot)) return "text without control bytes, in quotes";
  if (std::holds_alternative<std::vector<std::string>*>(slot)) return "a list of CIDR blocks such as [\"127.0.0.0/8\"]";
  if (std::holds_alternative<log::Level*>(slot)) return fmt::format("one of {}", fmt::join(level_names, ", "));
  if (std::holds_alternative<log::Format*>(slot)) return fmt::format("one of {}", fmt::join(format_names, ", "));
  const std::string_view unit = std::holds_alternative<Config::Millis*>(slot) ? " milliseconds" : "";
  return fmt::format("a whole number from {} to {}{}", key.least, key.most, unit);
}

Result<void> set_number(const Key& key, Config& config, std::int64_t number) {
  const Slot slot = key.slot(config);
  if (number < key.least || number > key.most) return refused(key, std::to_string(number));
  if (auto* const* port = std::get_if<std::uint16_t*>(&slot)) {
    **port = static_cast<std::uint16_t>(number);
  } else if (auto* const* count = std::get_if<std::int64_t*>(&slot)) {
    **count = number;
  } else if (auto* const* span = std::get_if<Config::Millis*>(&slot)) {
    **span = Config::Millis{number};
  } else {
    return refused(key, "a number");
  }
  return {};
}

Result<void> set_list(const Key& key, Config& config, std::vector<std::string> items) {
  const Slot slot = key.slot(config);
  auto* const* list = std::get_if<std::vector<std::string>*>(&slot);
  if (list == nullptr) return refused(key, "a list");
  const auto bad = std::ranges::find_if_not(items, is_cidr);
  if (bad != items.end()) return refused(key, in_quotes(*bad));
  **list = std::move(items);
  return {};
}

Result<void> set_text(const Key& key, Config& config, std::string_view text) {
  const Slot slot = key.slot(config);
  if (auto* const* target = std::get_if<std::string*>(&slot)) {
    if (has_control_bytes(text) || !is_valid_utf8(text)) return refused(key, in_quotes(text));
    if (full_name(key) == "installation.id" && !is_uuid(text)) return refused(key, in_quotes(text));
    **target = std::string{text};
    return {};
  }
  if (auto* const* level = std::get_if<log::Level*>(&slot)) {
    if (!set_enum(**level, level_names, text)) return refused(key, in_quotes(text));
    return {};
  }
  if (auto* const* format = std::get_if<log::Format*>(&slot)) {
    if (!set_enum(**format, format_names, text)) return refused(key, in_quotes(text));
    return {};
  }
  if (std::holds_alternative<std::vector<std::string>*>(slot)) {
    std::vector<std::string> items;
    for (std::string_view item : split(text, ',')) {
      if (!trimmed(item).empty()) items.emplace_back(trimmed(item));
    }
    return set_list(key, config, std::move(items));
  }
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || stopped != end) return refused(key, in_quotes(text));
  return set_number(key, config, number);
}

std::string value_text(const Key& key, const Config& config) {
  const Slot slot = slot_of(key, config);
  if (auto* const* text = std::get_if<std::string*>(&slot)) return in_quotes(**text);
  if (auto* const* port = std::get_if<std::uint16_t*>(&slot)) return std::to_string(**port);
  if (auto* const* count = std::get_if<std::int64_t*>(&slot)) return std::to_string(**count);
  if (auto* const* span = std::get_if<Config::Millis*>(&slot)) return std::to_string((*span)->count());
  if (auto* const* level = std::get_if<log::Level*>(&slot))
    return in_quotes(level_names.at(static_cast<std::size_t>(**level)));
  if (auto* const* format = std::get_if<log::Format*>(&slot))
    return in_quotes(format_names.at(static_cast<std::size_t>(**format)));
  std::vector<std::string> items;
  for (const auto& item : *std::get<std::vector<std::string>*>(slot)) items.push_back(in_quotes(item));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string render_file(const Config& config) {
  const Config defaults;
  std::string file =
      "# Postroom's configuration. A line that begins with # shows a default; remove the # to change it.\n"
      "# The environment overrides this file: POSTROOM_<SECTION>_<KEY>, e.g. POSTROOM_API_LISTEN_PORT (but not "
      "outbound.allow).\n"
      "# `postroom config check` shows what is in force, where it comes from, and what is wrong. Keys ending in _ms "
      "are milliseconds.\n";
  std::string_view section;
  for (const Key& key : key_table) {
    if (key.section != section) {
      section = key.section;
      file += fmt::format("\n[{}]\n", section);
    }
    const std::string value = value_text(key, config);
    const bool is_default = value == value_text(key, defaults);
    file += fmt::format("{}{} = {}  # {}\n", is_default ? "# " : "", key.name, value, key.meaning);
  }
  return file;
}

}  // namespace postroom::config
