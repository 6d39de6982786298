#include "tests/support/rabbit.hpp"

#include <fmt/format.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "common/base/text.hpp"
#include "common/broker/definitions.hpp"
#include "common/broker/topology.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::support {

namespace {

std::string password_of(std::string_view user) { return fmt::format("password-of-{}", user); }

std::string read_exactly(int fd, std::size_t count) {
  std::string out(count, '\0');
  for (std::size_t filled = 0; filled < count;) {
    const auto got = read(fd, out.data() + filled, count - filled);
    if (got <= 0) throw std::runtime_error("rabbit.py has left");
    filled += static_cast<std::size_t>(got);
  }
  return out;
}

std::string read_line(int fd) {
  std::string line;
  for (std::string one; (one = read_exactly(fd, 1)) != "\n";) line += one;
  return line;
}

}  // namespace

Rabbit::Rabbit() {
  std::string name = (std::filesystem::temp_directory_path() / "postroom-rabbit-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
  folder_ = name;
  const auto definitions = folder_ / "definitions.json";
  std::map<std::string, std::string> hashes;
  for (const auto& kind : broker::process_kinds()) hashes.emplace(kind.name, crypto::rabbitmq_password_hash(password_of(kind.name)));
  hashes.emplace("operator", crypto::rabbitmq_password_hash(password_of("operator")));
  std::ofstream{definitions} << broker::definitions_json(vhost, hashes);

  std::array<int, 2> to_keeper{};
  std::array<int, 2> from_keeper{};
  if (pipe2(to_keeper.data(), O_CLOEXEC) != 0 || pipe2(from_keeper.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipes left");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_keeper[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_keeper[1], STDOUT_FILENO);
  std::vector<std::string> words{"python3", POSTROOM_SOURCE_DIR "/tests/support/rabbit.py", "--dir", folder_.string(), "--definitions", definitions.string()};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int wrong = posix_spawnp(&keeper_, "python3", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to_keeper[0]);
  close(from_keeper[1]);
  commands_ = to_keeper[1];
  answers_ = from_keeper[0];
  if (wrong != 0) throw std::runtime_error("python3 does not start");
  start();
}

Rabbit::~Rabbit() {
  close(commands_);  // the end of its input is the keeper's sign to tidy up
  close(answers_);
  waitpid(keeper_, nullptr, 0);
}

Rabbit& Rabbit::shared() {
  static Rabbit one;
  return one;
}

broker::Endpoint Rabbit::endpoint(std::string_view user, std::string_view connection_name, std::chrono::milliseconds heartbeat) const {
  broker::Endpoint to;
  to.host = "127.0.0.1";
  to.port = static_cast<std::uint16_t>(port_);
  to.vhost = vhost;
  to.user = user;
  to.password = password_of(user);
  to.connection_name = connection_name;
  to.heartbeat = heartbeat;
  return to;
}

std::string Rabbit::ask(std::span<const std::string_view> words) {
  std::string line = "[";
  for (const auto word : words) line += fmt::format("{}\"{}\"", line.size() > 1 ? "," : "", json_escaped(word));
  line += "]\n";
  if (write(commands_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw std::runtime_error("rabbit.py has left");
  const auto head = read_line(answers_);
  const auto parts = split(head, ' ');
  if (parts.size() != 4) throw std::runtime_error("rabbit.py said: " + head);
  port_ = std::stoi(std::string{parts[1]});
  pid_ = std::stoi(std::string{parts[2]});
  const auto text = read_exactly(answers_, std::stoul(std::string{parts[3]}));
  if (parts[0] != "ok") throw std::runtime_error(text);
  return text;
}

void Rabbit::simply(std::string_view verb) { ask({&verb, 1}); }
void Rabbit::start() {
  is_blocked_ = false;
  simply("start");
}
void Rabbit::kill() {
  simply("kill");
  is_paused_ = false;
}
void Rabbit::stop() {
  simply("stop");
  is_paused_ = false;
}
void Rabbit::pause() {
  simply("pause");
  is_paused_ = true;
}
void Rabbit::resume() {
  simply("resume");
  is_paused_ = false;
}
void Rabbit::block() {
  is_blocked_ = true;
  simply("block");
}
void Rabbit::unblock() {
  simply("unblock");
  is_blocked_ = false;
}

std::string Rabbit::evaluate(std::string_view erlang) {
  const std::array<std::string_view, 2> words{"evaluate", erlang};
  return ask(words);
}

void Rabbit::purge(std::string_view queue) {
  const std::array<std::string_view, 3> words{"purge", vhost, queue};
  ask(words);
}

std::string Rabbit::ctl(std::initializer_list<std::string_view> arguments) {
  std::vector<std::string_view> words{"ctl"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return ask(words);
}

Restored::~Restored() {
  if (rabbit_.is_paused_) rabbit_.resume();
  if (rabbit_.pid() == 0) rabbit_.start();
  if (rabbit_.is_blocked_) rabbit_.unblock();
}

}  // namespace postroom::support
