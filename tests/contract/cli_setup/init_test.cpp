// `postroom init` against a real file system.
#include "api/cli/init.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "api/cli/config.hpp"
#include "common/base/config.hpp"
#include "common/base/ids.hpp"

using namespace postroom;
namespace fs = std::filesystem;

namespace {

class Place {
 public:
  Place() {
    std::string name = (fs::temp_directory_path() / "postroom-init-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Place() { fs::remove_all(path_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  fs::path home() const { return path_ / "deep" / "home"; }
  int init() const { return cli::run_init({.home = home()}); }

 private:
  fs::path path_;
};

std::string content(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

std::map<std::string, std::string> everything(const fs::path& home) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator{home}) {
    if (entry.is_regular_file()) files[entry.path().string()] = content(entry.path());
  }
  return files;
}

mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  ::stat(path.c_str(), &facts);
  return facts.st_mode & 07777;
}

}  // namespace

TEST_CASE("init makes a home that load_config takes, with different ports and an installation of its own") {
  const Place place;
  REQUIRE(place.init() == 0);
  const auto config = load_config(place.home());
  REQUIRE(config.ok());
  CHECK(is_uuid(config->installation.id));
  const std::set<int> ports{config->broker.port, config->broker.management_port, config->broker.epmd_port,
                            config->broker.dist_port, config->api.listen_port};
  CHECK(ports.size() == 5);
  CHECK(cli::run_config_check(place.home()) == 0);
}

TEST_CASE("nothing in a home is open to others") {
  const Place place;
  REQUIRE(place.init() == 0);
  CHECK(mode_of(place.home()) == 0700);
  for (const auto& entry : fs::recursive_directory_iterator{place.home()}) {
    CHECK_MESSAGE(mode_of(entry.path()) == (entry.is_directory() ? 0700 : 0600), entry.path());
  }
  for (const char* name : {"broker-api", "broker-ledger", "broker-jira", "broker-trello", "broker-imap_poller", "broker-mail_router",
                           "broker-notifier", "broker-operator", "master-key", "key-jira", "key-trello", "key-imap_poller", "key-notifier",
                           "key-message-id"}) {
    Config config;
    config.home = place.home();
    CHECK_MESSAGE(read_secret(config, name).ok(), name);
  }
  const std::string token = content(place.home() / "secrets/admin-token");
  CHECK(token.starts_with("prt_"));
  CHECK(token.size() == 4 + 43 + 1);
}

TEST_CASE("a second init changes no byte") {
  const Place place;
  REQUIRE(place.init() == 0);
  const auto before = everything(place.home());
  REQUIRE(place.init() == 0);
  CHECK(everything(place.home()) == before);
}

TEST_CASE("a second init mints what is missing, opens what is closed too wide, and keeps what people wrote") {
  const Place place;
  REQUIRE(place.init() == 0);
  std::ofstream{place.home() / "etc/postroom.toml", std::ios::app} << "# our own remark\n";
  const auto before = everything(place.home());
  fs::remove(place.home() / "secrets/broker-jira");
  fs::remove(place.home() / "etc/rabbitmq/rabbitmq.conf");
  fs::permissions(place.home() / "secrets", fs::perms::all);
  REQUIRE(place.init() == 0);
  auto after = everything(place.home());
  const std::string password = (place.home() / "secrets/broker-jira").string();
  CHECK(after[password].size() == 44);
  CHECK(after[password] != before.at(password));
  CHECK(mode_of(place.home() / "secrets") == 0700);
  const std::string toml = (place.home() / "etc/postroom.toml").string();
  CHECK(after[toml] == before.at(toml));
  CHECK(after.contains((place.home() / "etc/rabbitmq/rabbitmq.conf").string()));
}

TEST_CASE("a changed broker password reaches the broker's definitions, and only then do these change") {
  const Place place;
  REQUIRE(place.init() == 0);
  const fs::path definitions = place.home() / "etc/rabbitmq/definitions.json";
  const std::string before = content(definitions);
  CHECK(before.find("password_hash") != std::string::npos);
  CHECK(before.find(content(place.home() / "secrets/broker-api").substr(0, 43)) == std::string::npos);
  REQUIRE(place.init() == 0);
  CHECK(content(definitions) == before);
  fs::remove(place.home() / "secrets/broker-api");
  REQUIRE(place.init() == 0);
  CHECK(content(definitions) != before);
}

TEST_CASE("a home from before there was mail gets its users and keys, and keeps all that it had") {
  const Place place;
  REQUIRE(place.init() == 0);
  const auto whole = everything(place.home());
  const std::vector<std::string> new_secrets{"broker-imap_poller", "broker-mail_router", "broker-notifier", "key-imap_poller", "key-notifier", "key-message-id"};
  for (const auto& name : new_secrets) fs::remove(place.home() / "secrets" / name);
  const auto before = everything(place.home());
  REQUIRE(place.init() == 0);
  auto after = everything(place.home());
  for (const auto& [path, text] : before) {
    if (path.find("definitions") == std::string::npos) CHECK_MESSAGE(after[path] == text, path);
  }
  for (const auto& name : new_secrets) {
    const std::string path = (place.home() / "secrets" / name).string();
    CAPTURE(path);
    REQUIRE(after.contains(path));
    CHECK((after.at(path) == whole.at(path)) == name.starts_with("key-"));  // keys come from the master key, passwords from nowhere
  }
  CHECK_FALSE(fs::exists(place.home() / "secrets/key-mail_router"));
  CHECK(after.at((place.home() / "secrets/key-message-id").string()).size() == 44 + 1);
}

TEST_CASE("a lost master key is minted anew only by force, once there is a database") {
  const Place place;
  REQUIRE(place.init() == 0);
  std::ofstream{place.home() / "data/postroom.sqlite"} << "x";
  fs::remove(place.home() / "secrets/master-key");
  CHECK(place.init() == 1);
  CHECK_FALSE(fs::exists(place.home() / "secrets/master-key"));
  CHECK(cli::run_init({.home = place.home(), .force_master_key = true}) == 0);
  CHECK(cli::run_config_check(place.home()) == 0);
}

TEST_CASE("a sealing key that does not belong to the master key is refused") {
  const Place place;
  REQUIRE(place.init() == 0);
  std::ofstream{place.home() / "secrets/key-jira"} << "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
  CHECK(place.init() == 1);
}

TEST_CASE("new ports are chosen by force only, and other values stay") {
  const Place place;
  REQUIRE(place.init() == 0);
  const auto before = load_config(place.home());
  REQUIRE(cli::run_init({.home = place.home(), .force_ports = true}) == 0);
  const auto after = load_config(place.home());
  REQUIRE(after.ok());
  CHECK(after->installation.id == before->installation.id);
  CHECK(after->broker.port != before->broker.port);
  CHECK(content(place.home() / "etc/rabbitmq/environment").find(std::to_string(after->broker.port)) !=
        std::string::npos);
}

TEST_CASE("a wrong file is reported, not written over") {
  const Place place;
  REQUIRE(place.init() == 0);
  std::ofstream{place.home() / "etc/postroom.toml"} << "[broker]\nprot = 1\n";
  CHECK(place.init() == 1);
  CHECK(cli::run_config_check(place.home()) == 1);
  CHECK(content(place.home() / "etc/postroom.toml") == "[broker]\nprot = 1\n");
}

TEST_CASE("a home that is too deep for its sockets is refused before anything is made") {
  const Place place;
  const fs::path deep = place.home() / std::string(60, 'x');
  CHECK(cli::run_init({.home = deep}) == 1);
  CHECK_FALSE(fs::exists(deep));
}
