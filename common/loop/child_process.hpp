#pragma once
// A child process on the loop: an executable with pipes to its standard input and output, nothing else inherited.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/loop/loop.hpp"

namespace postroom::loop {

class ChildProcess {
 public:
  struct Ending {
    int exit_status = 0;  // when no signal
    int signal = 0;       // 0: it exited by itself
  };

  // The child gets an empty environment, and /dev/null as standard error. `on_output` is called with what it writes,
  // `on_end` once, when it has ended and its output is read to the end. Neither is called after the destructor. io: it
  // cannot be started.
  static Result<std::unique_ptr<ChildProcess>> start(Loop& loop, const std::string& executable,
                                                     const std::vector<std::string>& arguments,
                                                     std::function<void(std::string_view)> on_output,
                                                     std::function<void(Ending)> on_end);
  ~ChildProcess();  // kills a child that still runs; the loop reaps it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void write(std::string data);  // queued in order; lost when the child ends
  void close_input();            // after what is queued
  void kill(int signal);
  int pid() const;

 private:
  struct Parts;
  explicit ChildProcess(Parts* parts) : parts_(parts) {}
  Parts* parts_;
};

}  // namespace postroom::loop
