// The configuration against a real file system: what is read, what is refused, and what the refusal says.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/config_keys.hpp"

using namespace postroom;
namespace fs = std::filesystem;

namespace {

class Home {
 public:
  Home() {
    std::string name = (fs::temp_directory_path() / "postroom-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    fs::create_directories(path_ / "etc");
    fs::create_directories(path_ / "secrets");
  }
  ~Home() { fs::remove_all(path_); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  const fs::path& path() const { return path_; }
  Config config() const {
    Config c;
    c.home = path_;
    return c;
  }
  void write(const fs::path& name, const std::string& text, mode_t mode = 0600) const {
    std::ofstream{path_ / name} << text;
    ::chmod((path_ / name).c_str(), mode);
  }

 private:
  fs::path path_;
};

const std::string minimal = "[installation]\nid = \"0190f5fe-7c00-7000-8000-000000000001\"\n";

}  // namespace

TEST_CASE("a home is loaded from its file, and its paths follow it") {
  const Home home;
  home.write("etc/postroom.toml", minimal + "[broker]\nport = 5999\n");
  const auto config = load_config(home.path());
  REQUIRE(config.ok());
  CHECK(config->broker.port == 5999);
  CHECK(config->home == home.path());
  CHECK(config->database() == home.path() / "data" / "postroom.sqlite");
}

TEST_CASE("without a home given, POSTROOM_HOME names it") {
  const Home home;
  home.write("etc/postroom.toml", minimal);
  ::setenv("POSTROOM_HOME", home.path().c_str(), 1);
  const auto config = load_config();
  ::unsetenv("POSTROOM_HOME");
  REQUIRE(config.ok());
  CHECK(config->home == home.path());
}

TEST_CASE("a home without a file says how to make one") {
  const Home home;
  const auto config = load_config(home.path() / "nowhere");
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().code() == Code::not_found);
  CHECK(config.error().what().find("postroom init --home") != std::string::npos);
}

TEST_CASE("load_config fails with the first problem, its file and its line") {
  const Home home;
  home.write("etc/postroom.toml", minimal + "[broker]\nprot = 1\n");
  const auto config = load_config(home.path());
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().where() == (home.path() / "etc/postroom.toml").string() + ":4");
}

TEST_CASE("a secret is read without its line end") {
  const Home home;
  home.write("secrets/broker-api", "s3cret\n");
  const auto secret = read_secret(home.config(), "broker-api");
  REQUIRE(secret.ok());
  CHECK(*secret == "s3cret");
}

TEST_CASE("a secret that others may read, is empty, absent, a folder or a link is refused") {
  const Home home;
  home.write("secrets/group", "s", 0640);
  home.write("secrets/all", "s", 0604);
  home.write("secrets/empty", "\n");
  home.write("secrets/good", "s");
  fs::create_directory(home.path() / "secrets/folder");
  fs::create_symlink("good", home.path() / "secrets/link");
  CHECK(read_secret(home.config(), "group").error().code() == Code::unauthorized);
  CHECK(read_secret(home.config(), "all").error().code() == Code::unauthorized);
  CHECK(read_secret(home.config(), "empty").error().code() == Code::bad_message);
  CHECK(read_secret(home.config(), "absent").error().code() == Code::not_found);
  CHECK_FALSE(read_secret(home.config(), "folder").ok());
  CHECK_FALSE(read_secret(home.config(), "link").ok());
}

TEST_CASE("root needs to be allowed by name") {
  if (::geteuid() != 0) {
    CHECK(check_user().ok());
    return;
  }
  CHECK(check_user().ok());  // the test's environment allows it
  const std::string before = std::getenv("POSTROOM_ALLOW_ROOT");
  ::setenv("POSTROOM_ALLOW_ROOT", "yes", 1);
  CHECK_FALSE(check_user().ok());
  ::unsetenv("POSTROOM_ALLOW_ROOT");
  CHECK_FALSE(check_user().ok());
  ::setenv("POSTROOM_ALLOW_ROOT", before.c_str(), 1);
}
