#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "common/base/config_keys.hpp"

using namespace postroom;
using namespace std::chrono_literals;

namespace {

const std::string id_lines = "[installation]\nid = \"0190f5fe-7c00-7000-8000-000000000001\"\n";

config::Inspection read(const std::string& text, const config::Environment& environment = {}) {
  return config::inspect_text(id_lines + text, "postroom.toml", environment);
}

// The one problem that the text has, as "where: what".
std::string problem(const std::string& text, const config::Environment& environment = {}) {
  const auto inspection = read(text, environment);
  REQUIRE(inspection.problems.size() == 1);
  return inspection.problems.front().text();
}

std::string source_of(const config::Inspection& inspection, const std::string& name) {
  for (const auto& key : inspection.keys) {
    if (key.name == name) return key.source;
  }
  return "no such key";
}

}  // namespace

TEST_CASE("every key has a name of its own, also in the environment, and a default inside its own range") {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const auto& key : config::keys()) {
    CAPTURE(config::full_name(key));
    CHECK(names.insert(config::full_name(key)).second);
    CHECK(variables.insert(config::environment_name(key)).second);
    CHECK_FALSE(key.meaning.empty());
    Config fresh;
    const config::Slot slot = key.slot(fresh);
    CHECK(std::holds_alternative<Config::Millis*>(slot) == key.name.ends_with("_ms"));
    if (auto* const* number = std::get_if<std::int64_t*>(&slot)) CHECK(config::set_number(key, fresh, **number).ok());
    if (auto* const* port = std::get_if<std::uint16_t*>(&slot)) CHECK(config::set_number(key, fresh, **port).ok());
    if (auto* const* span = std::get_if<Config::Millis*>(&slot))
      CHECK(config::set_number(key, fresh, (*span)->count()).ok());
  }
}

TEST_CASE("a file without settings gives the defaults") {
  const auto inspection = read("");
  CHECK(inspection.problems.empty());
  CHECK(inspection.config.broker.port == 5672);
  CHECK(source_of(inspection, "broker.port") == "default");
}

TEST_CASE("links follow the address until they are set") {
  const auto url = [](const std::string& text) {
    Config config = read(text).config;
    config::derive(config);
    return config.api.public_url;
  };
  CHECK(url("") == "http://127.0.0.1:8080");
  CHECK(url("[api]\nlisten_host = \"::1\"\n") == "http://[::1]:8080");
  CHECK(url("[api]\npublic_url = \"https://desk.example/\"\n") == "https://desk.example");
}

TEST_CASE("the file sets every kind of value, and the source names its line") {
  const auto inspection = read(
      "[broker]\nport = 5999\n[delivery]\njira_settle_ms = 1500\n[outbound]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\n"
      "[log]\nlevel = \"debug\"\nformat = \"text\"\n[ledger]\nround_intake = 7\n");
  CHECK(inspection.problems.empty());
  CHECK(inspection.config.broker.port == 5999);
  CHECK(inspection.config.delivery.jira_settle == 1500ms);
  CHECK(inspection.config.outbound.allow == std::vector<std::string>{"127.0.0.0/8", "::1/128"});
  CHECK(inspection.config.log.level == log::Level::debug);
  CHECK(inspection.config.log.format == log::Format::text);
  CHECK(inspection.config.ledger.round_intake == 7);
  CHECK(source_of(inspection, "broker.port") == "postroom.toml:4");
}

TEST_CASE("the environment overrides the file, by the key's name in capitals") {
  const auto inspection =
      read("[api]\nlisten_port = 1111\n", {{"POSTROOM_API_LISTEN_PORT", "2222"}, {"POSTROOM_LOG_LEVEL", "error"}});
  CHECK(inspection.problems.empty());
  CHECK(inspection.config.api.listen_port == 2222);
  CHECK(inspection.config.log.level == log::Level::error);
  CHECK(source_of(inspection, "api.listen_port") == "POSTROOM_API_LISTEN_PORT");
}

TEST_CASE("private addresses can be opened by the file only") {
  CHECK(problem("", {{"POSTROOM_OUTBOUND_ALLOW", "10.0.0.0/8"}}) ==
        "POSTROOM_OUTBOUND_ALLOW: outbound.allow is taken from etc/postroom.toml only; unset the variable");
  CHECK(read("", {{"POSTROOM_OUTBOUND_ALLOW", "10.0.0.0/8"}}).config.outbound.allow.empty());
}

TEST_CASE("a variable that names no key is a warning with the nearest name, and foreign variables are left alone") {
  const auto inspection = read(
      "", {{"POSTROOM_API_LISTEN_PROT", "1"}, {"POSTROOM_HOME", "x"}, {"POSTROOM_ALLOW_ROOT", "1"}, {"PATH", "/bin"}});
  CHECK(inspection.problems.empty());
  REQUIRE(inspection.warnings.size() == 1);
  CHECK(inspection.warnings[0] == "POSTROOM_API_LISTEN_PROT names no key; did you mean api.listen_port?");
}

TEST_CASE("unknown names are refused with their line and the nearest known name") {
  CHECK(problem("[broker]\nprot = 1\n") == "postroom.toml:4: there is no key broker.prot; did you mean broker.port?");
  CHECK(problem("[borker]\nport = 1\n").find("there is no section [borker]; did you mean broker?") !=
        std::string::npos);
  CHECK(problem("[ledger]\nmax_attempts = 3\n") ==
        "postroom.toml:4: there is no key ledger.max_attempts; did you mean delivery.max_attempts?");
  CHECK(problem("[log]\nzzzzzzzzzzzzzzzz = 3\n") == "postroom.toml:4: there is no key log.zzzzzzzzzzzzzzzz");
}

TEST_CASE("values outside their range or of another type are refused with what is wanted") {
  CHECK(problem("[broker]\nport = 70000\n") ==
        "postroom.toml:4: broker.port is 70000, but must be a whole number from 1 to 65535");
  CHECK(problem("[broker]\nport = \"5672\"\n").find("must be a whole number") != std::string::npos);
  CHECK(problem("[broker]\nhost = 5\n").find("must be text") != std::string::npos);
  CHECK(problem("[broker]\nheartbeat_ms = 10.5\n").find("1000 to 600000 milliseconds") != std::string::npos);
  CHECK(problem("[log]\nlevel = \"loud\"\n").find("one of debug, info, warning, error") != std::string::npos);
  CHECK(problem("[outbound]\nallow = [\"127.0.0.1\"]\n").find("CIDR") != std::string::npos);
  CHECK(problem("[outbound]\nallow = [\"127.0.0.0/33\"]\n").find("CIDR") != std::string::npos);
  CHECK(problem("[outbound]\nallow = \"127.0.0.0/8\"\n").find("CIDR") != std::string::npos);
  CHECK(problem("[api]\nlisten_host = \"a\\nb\"\n").find("control bytes") != std::string::npos);
  CHECK(problem("", {{"POSTROOM_BROKER_PORT", "80x"}}) ==
        "POSTROOM_BROKER_PORT: broker.port is \"80x\", but must be a whole number from 1 to 65535");
}

TEST_CASE("a file that is not TOML is refused with its line") {
  CHECK(problem("[broker\nport = 1\n").starts_with("postroom.toml:3: not TOML: "));
  CHECK(problem("[broker]\nport = 1\nport = 2\n").starts_with("postroom.toml:5: not TOML: "));
}

TEST_CASE("settings that contradict each other are refused") {
  CHECK(
      problem("[delivery]\nbackoff_base_ms = 5000\nbackoff_cap_ms = 1000\n").find("exceeds delivery.backoff_cap_ms") !=
      std::string::npos);
  CHECK(problem("[delivery]\nwindow_start = 90\n").find("exceeds delivery.window_limit") != std::string::npos);
  CHECK(problem("[delivery]\nclaim_answer_ms = 9000\n").find("exceeds delivery.first_byte_ms") != std::string::npos);
  CHECK(problem("[api]\npublic_url = \"desk.example\"\n").find("http://") != std::string::npos);
  CHECK(config::inspect_text("", "postroom.toml", {}).problems.at(0).text() ==
        "postroom.toml: installation.id is missing; `postroom init` makes it");
}

TEST_CASE("all problems are gathered, not only the first") {
  CHECK(read("[broker]\nprot = 1\nport = 0\n[log]\nlevel = \"x\"\n").problems.size() == 3);
}

TEST_CASE("a written file reads back as what was written, whatever the values") {
  Config changed;
  changed.installation.id = "0190f5fe-7c00-7000-8000-000000000002";
  changed.installation.name = "A \"post\" \\ room – é";
  changed.broker.port = 12345;
  changed.api.body_limit = 4096;
  changed.delivery.http_timeout = 777ms;
  changed.outbound.allow = {"127.0.0.0/8"};
  changed.log.format = log::Format::text;
  const auto back = config::inspect_text(config::render_file(changed), "postroom.toml", {});
  CHECK(back.problems.empty());
  for (const auto& key : config::keys()) {
    CHECK_MESSAGE(config::value_text(key, back.config) == config::value_text(key, changed), config::full_name(key));
  }
}

TEST_CASE("a written file shows every key, defaults as comments") {
  const std::string file = config::render_file(Config{});
  for (const auto& key : config::keys())
    CHECK_MESSAGE(file.find(fmt::format("{} = ", key.name)) != std::string::npos, config::full_name(key));
  CHECK(file.find("\n# port = 5672  # ") != std::string::npos);
}
