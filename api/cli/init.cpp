#include "api/cli/init.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "api/cli/broker_files.hpp"
#include "api/cli/free_ports.hpp"
#include "api/cli/home_files.hpp"
#include "common/base/config_keys.hpp"
#include "common/base/ids.hpp"
#include "common/broker/definitions.hpp"
#include "common/broker/topology.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::cli {

namespace fs = std::filesystem;

namespace {

// Keys that come from the master key: one for each kind of worker that opens sealed secrets, and the one that signs our Message-IDs.
constexpr std::array derived_keys{"jira", "trello", "imap_poller", "notifier", "message-id"};
constexpr std::size_t password_bytes = 32;
constexpr std::size_t longest_home = 107 - std::string_view{"/run/health/imap_poller-4194304.sock"}.size();  // unix(7): sun_path

std::string url_safe(std::string base64) {
  for (char& c : base64) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (base64.ends_with('=')) base64.pop_back();
  return base64;
}

std::string random_password() {
  return url_safe(crypto::to_base64(crypto::random_bytes(password_bytes)));
}  // 43 characters

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

class Init {
 public:
  explicit Init(const InitOptions& options) : options_(options) {}

  Result<void> run() {
    const std::array steps{&Init::make_folders,      &Init::make_configuration, &Init::make_broker_passwords,
                           &Init::make_derived_keys, &Init::make_admin_token,   &Init::write_broker_files};
    for (const auto step : steps) {
      if (auto done = (this->*step)(); !done.ok()) return done;
    }
    return {};
  }

  const std::vector<std::string>& made() const { return made_; }
  const Config& config() const { return config_; }

 private:
  Result<void> make_folders() {
    config_ = config::inspect(options_.home).config;  // for the home's place; the rest is read once it is there
    if (config_.home.native().size() > longest_home) {
      return Error{Code::bad_message, fmt::format("longer than {} characters: the health sockets inside could not be opened", longest_home),
                   config_.home.string()};
    }
    std::error_code failed;
    fs::create_directories(config_.home.parent_path(), failed);
    for (const char* folder :
         {"", "etc", "etc/rabbitmq", "secrets", "data", "data/rabbitmq", "blobs", "run", "run/health", "log"}) {
      const fs::path path = *folder == '\0' ? config_.home : config_.home / folder;
      if (auto done = ensure_folder(path, 0700); !done.ok()) return done;
      if (*folder == '\0') {
        auto lock = FolderLock::take(path);
        if (!lock.ok()) return lock.error();
        lock_.emplace(std::move(*lock));
      }
    }
    return {};
  }

  Result<void> make_configuration() {
    const fs::path file = config_.home / "etc" / "postroom.toml";
    const bool is_new = !fs::exists(file);
    if (!is_new) {
      // The environment overrides programs, not the file: what is written back must come from the file alone.
      auto inspection = config::inspect_text(text_of(file), file.string(), {});
      if (!inspection.problems.empty()) return inspection.problems.front();
      inspection.config.home = config_.home;
      config_ = std::move(inspection.config);
    } else {
      const fs::path home = config_.home;
      config_ = Config{};
      config_.home = home;
      config_.installation.id = SystemIds{}.next();
      config_.installation.name = "Postroom";
    }
    if (is_new || options_.force_ports) {
      auto ports = choose_free_ports(5);
      if (!ports.ok()) return ports.error();
      config_.broker.port = (*ports)[0];
      config_.broker.management_port = (*ports)[1];
      config_.broker.epmd_port = (*ports)[2];
      config_.broker.dist_port = (*ports)[3];
      config_.api.listen_port = (*ports)[4];
    }
    if (!is_new && !options_.force_ports && !options_.force_config) return {};
    return keep(file, config::render_file(config_), 0600);
  }

  Result<void> make_broker_passwords() {
    std::vector<std::string> users{"operator"};
    for (const auto& kind : broker::process_kinds()) users.emplace_back(kind.name);
    for (const std::string& user : users) {
      if (auto done = mint("broker-" + user, random_password()); !done.ok()) return done;
      auto password = read_secret(config_, "broker-" + user);
      if (!password.ok()) return password.error();
      passwords_[user] = *password;
    }
    return {};
  }

  Result<void> make_derived_keys() {
    const fs::path master_file = config_.secret_file("master-key");
    const bool is_forced = options_.force_master_key;
    if (!fs::exists(master_file) && fs::exists(config_.database()) && !is_forced) {
      return Error{Code::conflict,
                   "is missing although there is a database: restore it from a backup, or `postroom init "
                   "--force-master-key` mints another and "
                   "every connection's secret must be entered again",
                   master_file.string()};
    }
    if (auto done = mint("master-key", crypto::to_base64(crypto::random_bytes(32)), is_forced); !done.ok()) return done;
    auto master = read_secret(config_, "master-key");
    if (!master.ok()) return master.error();
    for (const std::string kind : derived_keys) {
      auto sealer = crypto::Sealer::from_master_key(*master, kind);
      if (!sealer.ok()) return Error{sealer.error().code(), sealer.error().what(), master_file.string()};
      if (auto done = mint("key-" + kind, sealer->kind_key(), is_forced); !done.ok()) return done;
      auto key = read_secret(config_, "key-" + kind);
      if (!key.ok()) return key.error();
      if (!crypto::equal_in_constant_time(*key, sealer->kind_key())) {
        return Error{Code::conflict,
                     "does not come from secrets/master-key: restore the pair from one backup, or remove this file",
                     config_.secret_file("key-" + kind).string()};
      }
    }
    return {};
  }

  Result<void> make_admin_token() { return mint("admin-token", "prt_" + random_password()); }

  Result<void> write_broker_files() {
    const fs::path folder = broker_folder(config_);
    if (auto done = keep(folder / "rabbitmq.conf", render_rabbitmq_conf(config_), 0600); !done.ok()) return done;
    if (auto done = keep(folder / "enabled_plugins", render_enabled_plugins(), 0600); !done.ok()) return done;
    if (auto done = keep(folder / "environment", render_broker_environment(config_), 0600); !done.ok()) return done;
    return write_definitions(folder);
  }

  // Hashes are salted anew each time; a file of new salts would make the node import its definitions at every start. So
  // the file is written only when what it is made from has changed: the topology of this program, or a password.
  Result<void> write_definitions(const fs::path& folder) {
    const std::string made_from =
        crypto::to_hex(crypto::sha256(broker::definitions_json(config_.broker.vhost, passwords_))) + "\n";
    const fs::path definitions = folder / "definitions.json";
    const fs::path fingerprint = folder / "definitions.sha256";
    if (fs::exists(definitions) && text_of(fingerprint) == made_from) return {};
    std::map<std::string, std::string> hashes;
    for (const auto& [user, password] : passwords_) hashes[user] = crypto::rabbitmq_password_hash(password);
    if (auto done = keep(definitions, broker::definitions_json(config_.broker.vhost, hashes), 0600); !done.ok())
      return done;
    return keep(fingerprint, made_from, 0600);
  }

  Result<void> mint(const std::string& name, const std::string& secret, bool is_replaced = false) {
    const fs::path path = config_.secret_file(name);
    auto made = is_replaced ? replace_file(path, secret + "\n", 0600) : create_file(path, secret + "\n", 0600);
    if (!made.ok()) return made.error();
    if (*made) made_.push_back("secrets/" + name);
    return {};
  }

  Result<void> keep(const fs::path& path, const std::string& content, mode_t mode) {
    auto made = replace_file(path, content, mode);
    if (!made.ok()) return made.error();
    if (*made) made_.push_back(fs::relative(path, config_.home).string());
    return {};
  }

  const InitOptions options_;
  Config config_;
  std::optional<FolderLock> lock_;
  std::map<std::string, std::string> passwords_;
  std::vector<std::string> made_;
};

}  // namespace

int run_init(const InitOptions& options) {
  if (auto user = check_user(); !user.ok()) {
    fmt::print(stderr, "postroom init: {}\n", user.error().text());
    return 1;
  }
  Init init{options};
  if (auto done = init.run(); !done.ok()) {
    fmt::print(stderr, "postroom init: {}\n", done.error().text());
    return 1;
  }
  const std::string home = init.config().home.string();
  if (init.made().empty()) {
    fmt::print("{} is complete; nothing was changed\n", home);
  } else {
    fmt::print("{}:\n", home);
    for (const auto& file : init.made()) fmt::print("  wrote {}\n", file);
  }
  return 0;
}

}  // namespace postroom::cli
