#pragma once
// A private RabbitMQ node with our topology, for component tests in C++. rabbit.py does the work and outlives nobody: when this process dies,
// the node, its epmd and its folder go too.

#include <sys/types.h>

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "common/broker/broker.hpp"

namespace postroom::support {

class Rabbit {
 public:
  Rabbit();  // starts it; throws std::runtime_error with the node's log when that fails
  ~Rabbit();
  Rabbit(const Rabbit&) = delete;
  Rabbit& operator=(const Rabbit&) = delete;

  // One for all cases of a test executable, started at the first use. A case that stops or blocks it sets it right again.
  static Rabbit& shared();

  // For a user of the topology; the password is right.
  broker::Endpoint endpoint(std::string_view user, std::string_view connection_name = "test",
                            std::chrono::milliseconds heartbeat = std::chrono::milliseconds{10'000}) const;
  std::string definitions() const { return (folder_ / "definitions.json").string(); }  // the file that it was made from
  int port() const { return port_; }
  pid_t pid() const { return pid_; }  // 0 while it is down

  void start();  // returns when it takes connections; the same port and data as before
  void kill();   // SIGKILL
  void stop();   // in order
  void pause();  // SIGSTOP: a silent peer
  void resume();
  void block();  // memory alarm
  void unblock();
  std::string evaluate(std::string_view erlang);  // inside the node, in milliseconds: what the last expression evaluates to; throws when it fails
  void purge(std::string_view queue);
  std::string ctl(std::initializer_list<std::string_view> arguments);  // rabbitmqctl, which takes a second, ten on a busy machine; throws when it fails

  static constexpr std::string_view vhost = "postroom";

 private:
  std::string ask(std::span<const std::string_view> words);
  void simply(std::string_view verb);

  std::filesystem::path folder_;
  pid_t keeper_ = 0;
  int commands_ = -1;
  int answers_ = -1;
  int port_ = 0;
  pid_t pid_ = 0;
  bool is_paused_ = false;
  bool is_blocked_ = false;

  friend class Restored;
};

// Whatever a case does to the node: at its end the node runs and takes messages again.
class Restored {
 public:
  explicit Restored(Rabbit& rabbit) : rabbit_(rabbit) {}
  ~Restored();

 private:
  Rabbit& rabbit_;
};

}  // namespace postroom::support
