#pragma once
// A child process of a test: started with pipes to its input and from its output, ended with its owner, never left behind.

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace postroom::support {

class Child {
 public:
  enum class Ending { close_input, terminate };  // how it is told to end

  // Throws std::runtime_error when it cannot be started. `environment`: NAME=value lines added to ours. `log`: file for its standard error.
  Child(std::vector<std::string> command, Ending ending, std::vector<std::string> environment = {}, std::string log = {});
  ~Child();  // gives it 12 s, then SIGKILL
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string read_line();  // of its output; empty at its end
  void write_line(std::string_view line);  // into its input
  pid_t pid() const { return pid_; }
  void send_signal(int number);
  bool has_ended();
  int wait();  // its exit status, 128 + n when signal n ended it

 private:
  pid_t pid_ = 0;
  int input_ = -1;
  int output_ = -1;
  Ending ending_;
  int status_ = -1;  // unknown yet
};

}  // namespace postroom::support
