#include "common/base/config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "common/base/config_keys.hpp"
#include "common/base/text.hpp"

namespace postroom {

namespace config {

namespace {

std::string suggestion(std::string_view section, std::string_view name) {
  const std::string nearest = nearest_key(section, name);
  return nearest.empty() ? std::string{} : fmt::format("; did you mean {}?", nearest);
}

Environment process_environment() {
  Environment all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const auto equals = std::min(pair.find('='), pair.size());
    all.emplace(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
  }
  return all;
}

// One reading of one configuration; problems gather, nothing throws.
class Reader {
 public:
  explicit Reader(Inspection& to) : to_(to) {}

  void read_file(std::string_view text, std::string file) {
    file_ = std::move(file);
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
      problem(Code::bad_message, fmt::format("not TOML: {}", parsed.error().description()),
              place(parsed.error().source()));
      return;
    }
    for (const auto& [section, node] : parsed.table()) read_section(section.str(), node);
  }

  void read_environment(const Environment& environment) {
    for (const auto& [name, value] : environment) {
      if (!name.starts_with("POSTROOM_")) continue;
      const std::string rest = to_lower_ascii(name.substr(9));
      const auto bar = std::min(rest.find('_'), rest.size());
      const std::string section = rest.substr(0, bar);
      if (!is_section(section)) continue;
      const std::string key_name = rest.substr(std::min(bar + 1, rest.size()));
      const Key* key = find_key(section, key_name);
      if (key == nullptr) {
        // Likely a slip, but refusing it would be worse: container platforms set names such as
        // POSTROOM_API_SERVICE_HOST by themselves.
        to_.warnings.push_back(fmt::format("{} names no key{}", name, suggestion(section, key_name)));
      } else if (key->is_file_only) {
        problem(Code::bad_message,
                fmt::format("{} is taken from etc/postroom.toml only; unset the variable", full_name(*key)), name);
      } else {
        keep(*key, set_text(*key, to_.config, value), name);
      }
    }
  }

  // What no single key can say.
  void check_relations() {
    const auto& c = to_.config;
    if (c.installation.id.empty() && to_.problems.empty())
      problem(Code::bad_message, "installation.id is missing; `postroom init` makes it", file_);
    if (c.delivery.backoff_base > c.delivery.backoff_cap)
      problem(Code::bad_message, "delivery.backoff_base_ms exceeds delivery.backoff_cap_ms", file_);
    if (c.delivery.window_start > c.delivery.window_limit)
      problem(Code::bad_message, "delivery.window_start exceeds delivery.window_limit", file_);
    if (c.delivery.claim_answer > c.delivery.first_byte)
      problem(Code::bad_message,
              "delivery.claim_answer_ms exceeds delivery.first_byte_ms: a lost answer could never be asked for again",
              file_);
    if (!c.api.public_url.empty() && !c.api.public_url.starts_with("http://") &&
        !c.api.public_url.starts_with("https://"))
      problem(Code::bad_message, "api.public_url must begin with http:// or https://", file_);
  }

  void list_keys() {
    for (const Key& key : keys()) {
      const auto source = sources_.find(full_name(key));
      to_.keys.push_back(
          {full_name(key), value_text(key, to_.config), source == sources_.end() ? "default" : source->second});
    }
  }

 private:
  void read_section(std::string_view section, const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr || !is_section(section)) {
      problem(Code::bad_message, fmt::format("there is no section [{}]{}", section, suggestion(section, "")),
              place(node.source()));
      return;
    }
    for (const auto& [name, value] : *table) read_key(section, name.str(), value);
  }

  void read_key(std::string_view section, std::string_view name, const toml::node& node) {
    const Key* key = find_key(section, name);
    if (key == nullptr) {
      problem(Code::bad_message, fmt::format("there is no key {}.{}{}", section, name, suggestion(section, name)),
              place(node.source()));
      return;
    }
    keep(*key, set(*key, node), place(node.source()));
  }

  Result<void> set(const Key& key, const toml::node& node) {
    if (const auto* number = node.as_integer()) return set_number(key, to_.config, number->get());
    if (const auto* array = node.as_array()) {
      std::vector<std::string> items;
      for (const toml::node& item : *array) items.push_back(item.is_string() ? item.as_string()->get() : std::string{});
      return set_list(key, to_.config, std::move(items));
    }
    const auto* text = node.as_string();
    const Slot slot = key.slot(to_.config);
    const bool takes_text = std::holds_alternative<std::string*>(slot) || std::holds_alternative<log::Level*>(slot) ||
                            std::holds_alternative<log::Format*>(slot);
    if (text == nullptr || !takes_text)
      return Error{Code::bad_message, fmt::format("{} must be {}", full_name(key), wanted(key))};
    return set_text(key, to_.config, text->get());
  }

  void keep(const Key& key, const Result<void>& result, const std::string& source) {
    if (result.ok()) {
      sources_[full_name(key)] = source;
    } else {
      problem(result.error().code(), result.error().what(), source);
    }
  }

  std::string place(const toml::source_region& region) const { return fmt::format("{}:{}", file_, region.begin.line); }
  void problem(Code code, std::string what, std::string where) {
    to_.problems.emplace_back(code, std::move(what), std::move(where));
  }

  Inspection& to_;
  std::string file_;
  std::map<std::string, std::string> sources_;
};

}  // namespace

Inspection inspect_text(std::string_view text, std::string file, const Environment& environment) {
  Inspection inspection;
  Reader reader{inspection};
  reader.read_file(text, std::move(file));
  reader.read_environment(environment);
  reader.check_relations();
  reader.list_keys();
  return inspection;
}

void derive(Config& config) {
  auto& api = config.api;
  if (api.public_url.empty()) {
    const bool is_v6 = api.listen_host.find(':') != std::string::npos;
    api.public_url =
        fmt::format("http://{}:{}", is_v6 ? "[" + api.listen_host + "]" : api.listen_host, api.listen_port);
  }
  while (api.public_url.ends_with('/')) api.public_url.pop_back();
}

Inspection inspect(const std::filesystem::path& home) {
  const char* variable = std::getenv("POSTROOM_HOME");
  const std::filesystem::path chosen = !home.empty()                              ? home
                                       : variable != nullptr && *variable != '\0' ? variable
                                                                                  : "./.postroom";
  const std::filesystem::path absolute = std::filesystem::absolute(chosen).lexically_normal();
  const std::filesystem::path file = absolute / "etc" / "postroom.toml";

  std::stringstream text;
  std::ifstream stream{file, std::ios::binary};
  const int reason = errno;
  if (stream) text << stream.rdbuf();
  Inspection inspection = inspect_text(text.str(), file.string(), process_environment());
  inspection.config.home = absolute;
  derive(inspection.config);
  for (Effective& key : inspection.keys) {
    if (key.name == "api.public_url") key.value = value_text(*find_key("api", "public_url"), inspection.config);
  }
  if (!stream) {
    const Code code = reason == ENOENT ? Code::not_found : Code::io;
    inspection.problems = {
        Error{code, fmt::format("{}; `postroom init --home {}` makes it", std::strerror(reason), absolute.string()),
              file.string()}};
  }
  return inspection;
}

}  // namespace config

Result<Config> load_config(const std::filesystem::path& home) {
  config::Inspection inspection = config::inspect(home);
  if (!inspection.problems.empty()) return inspection.problems.front();
  return std::move(inspection.config);
}

Result<std::string> read_secret(const Config& config, std::string_view name) {
  constexpr std::size_t longest = 64 * 1024;
  const std::string path = config.secret_file(name).string();
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    const Code code = errno == ENOENT ? Code::not_found : Code::io;
    return Error{code, fmt::format("{}; `postroom init` writes the secrets", std::strerror(errno)), path};
  }
  std::string content(longest + 1, '\0');
  struct stat facts {};
  const bool is_known = ::fstat(file, &facts) == 0;
  const ssize_t count = ::read(file, content.data(), content.size());
  ::close(file);
  if (!is_known || count < 0) return Error{Code::io, std::strerror(errno), path};
  if (!S_ISREG(facts.st_mode)) return Error{Code::unauthorized, "a secret must be a regular file", path};
  if ((facts.st_mode & 077) != 0)
    return Error{Code::unauthorized,
                 "others may read or write this secret; `chmod 600` it, and replace it if that was so for long", path};
  if (static_cast<std::size_t>(count) > longest)
    return Error{Code::bad_message, fmt::format("longer than {} bytes: not a secret of ours", longest), path};
  content.resize(static_cast<std::size_t>(count));
  const std::string_view secret = trimmed(content);
  if (secret.empty()) return Error{Code::bad_message, "empty; remove it and run `postroom init`", path};
  return std::string{secret};
}

Result<void> check_user() {
  const char* allowed = std::getenv("POSTROOM_ALLOW_ROOT");
  if (::geteuid() != 0 || (allowed != nullptr && std::string_view{allowed} == "1")) return {};
  return Error{Code::unauthorized,
               "refusing to run as root: use an ordinary user, or set POSTROOM_ALLOW_ROOT=1 if you know why"};
}

}  // namespace postroom
