#include "tests/support/child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace postroom::support {

Child::Child(std::vector<std::string> command, Ending ending, std::vector<std::string> environment, std::string log) : ending_(ending) {
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input[0], 0);
    dup2(output[1], 1);
    if (!log.empty()) dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
    for (auto& line : environment) putenv(line.data());
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  output_ = output[0];
}

Child::~Child() {
  close(input_);
  if (status_ < 0) {
    if (ending_ == Ending::terminate) ::kill(pid_, SIGTERM);
    ::kill(pid_, SIGCONT);  // a stopped process would not hear it
    for (int i = 0; i < 600 && !has_ended(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    if (!has_ended()) ::kill(pid_, SIGKILL);
    wait();
  }
  close(output_);
}

std::string Child::read_line() {
  std::string line;
  char byte = 0;
  while (read(output_, &byte, 1) == 1 && byte != '\n') line.push_back(byte);
  return line;
}

void Child::write_line(std::string_view line) {
  const std::string bytes = std::string{line} + "\n";
  if (write(input_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("a child does not listen");
}

void Child::send_signal(int number) { ::kill(pid_, number); }

namespace {
int as_shells_do(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }
}  // namespace

bool Child::has_ended() {
  int status = 0;
  if (status_ < 0 && waitpid(pid_, &status, WNOHANG) == pid_) status_ = as_shells_do(status);
  return status_ >= 0;
}

int Child::wait() {
  if (status_ >= 0) return status_;
  int status = 0;
  waitpid(pid_, &status, 0);
  return status_ = as_shells_do(status);
}

}  // namespace postroom::support
