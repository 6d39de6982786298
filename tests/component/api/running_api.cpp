#include "tests/component/api/running_api.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "api/cli/init.hpp"
#include "common/base/text.hpp"

extern char** environ;

namespace postroom::support {

namespace {

namespace fs = std::filesystem;

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 && getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  if (!bound) throw std::runtime_error{"there is no free port"};
  return ntohs(address.sin_port);
}

void write_secret(const fs::path& file, const std::string& text) {
  std::ofstream{file} << text << "\n";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

void add_board(store::Database& database, const std::string& id, bool is_public, std::string_view state) {
  const std::string name = "Board " + id.substr(34);
  const auto done = database.execute(
      "INSERT INTO boards (id, name, state, is_public, keywords, target_kind, connection_id, target, version, created_at, updated_at) "
      "VALUES (?1, ?2, ?3, ?4, '[]', 'desk', NULL, '{\"kind\":\"desk\"}', 1, 1, 1)",
      {std::string_view{id}, std::string_view{name}, state, std::int64_t{is_public ? 1 : 0}});
  if (!done) throw std::runtime_error{done.error().text()};
}

}  // namespace

RunningApi::RunningApi(std::map<std::string, std::string> environment) : environment_(std::move(environment)), port_(free_port()) {
  const fs::path home = scratch_.path() / "home";
  if (cli::run_init(cli::InitOptions{.home = home}) != 0) throw std::runtime_error{"postroom init failed"};
  const auto endpoint = Rabbit::shared().endpoint("api");
  for (const char* user : {"api", "ledger"}) write_secret(home / "secrets" / fmt::format("broker-{}", user), Rabbit::shared().endpoint(user).password);
  std::string token;
  std::ifstream{home / "secrets" / "admin-token"} >> token_;
  fs::create_directories(home / "data");
  {
    const auto database = fakes::new_database(home / "data" / "postroom.sqlite");
    add_board(*database, public_board, true, "active");
    add_board(*database, private_board, false, "active");
    add_board(*database, archived_board, true, "archived");
  }
  environment_.insert({{"POSTROOM_HOME", home.string()},
                       {"POSTROOM_BROKER_HOST", endpoint.host},
                       {"POSTROOM_BROKER_PORT", std::to_string(endpoint.port)},
                       {"POSTROOM_BROKER_VHOST", endpoint.vhost},
                       {"POSTROOM_API_LISTEN_PORT", std::to_string(port_)}});
  start();
}

RunningApi::~RunningApi() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

RunningApi& RunningApi::shared() {
  static RunningApi api{{{"POSTROOM_API_PUBLISH_TIMEOUT_MS", "30000"}}};
  return api;
}

void RunningApi::start() {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    if (!environment_.contains(std::string{*at, std::string_view{*at}.find('=')})) variables.emplace_back(*at);
  }
  for (const auto& [name, value] : environment_) variables.push_back(name + "=" + value);
  std::vector<char*> pointers;
  for (auto& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  std::string program = POSTROOM_BINARY_DIR "/postroom-api";
  char* arguments[] = {program.data(), nullptr};
  if (posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, pointers.data()) != 0) throw std::runtime_error{"cannot start " + program};
  await_ready();
}

std::vector<std::string> RunningApi::environment() const {
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment_) variables.push_back(name + "=" + value);
  return variables;
}

void RunningApi::signal(int number) { ::kill(pid_, number); }

int RunningApi::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool RunningApi::is_ready() const {
  try {
    return support::ask(port_, {.path = "/readyz"}, std::chrono::seconds{5}).status == 200;
  } catch (const std::runtime_error&) {
    return false;
  }
}

void RunningApi::await_ready() const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (std::chrono::steady_clock::now() < deadline) {
    if (is_ready()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  throw std::runtime_error{"postroom-api does not become ready"};
}

}  // namespace postroom::support
