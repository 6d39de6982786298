#pragma once
// A postroom-api as it runs: its own home, a migrated database with a few boards, the tests' broker. One for all cases of the executable,
// and more when a case wants to kill one.

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/component/api/raw_connection.hpp"
#include "tests/support/rabbit.hpp"
#include "tests/support/scratch.hpp"

namespace postroom::support {

inline const std::string public_board = "00000000-0000-4000-8000-0000000000b1";
inline const std::string private_board = "00000000-0000-4000-8000-0000000000b2";
inline const std::string archived_board = "00000000-0000-4000-8000-0000000000b3";

class RunningApi {
 public:
  explicit RunningApi(std::map<std::string, std::string> environment = {});
  ~RunningApi();  // SIGKILL if it still runs
  RunningApi(const RunningApi&) = delete;
  RunningApi& operator=(const RunningApi&) = delete;

  // Waits long for the broker's confirms, so that a slow disk makes no 503 in cases that are about something else.
  static RunningApi& shared();

  void start();
  void forget(const std::string& variable) { environment_.erase(variable); }  // of the next start's environment
  void signal(int number);
  int wait();  // for its end: the exit status, or 128 + the signal
  bool is_ready() const;
  void await_ready() const;  // throws after a minute

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::filesystem::path home() const { return scratch_.path() / "home"; }
  std::vector<std::string> environment() const;  // NAME=value, for others that work on the same home
  const std::string& token() const { return token_; }
  RawReply ask(Ask what) const { return support::ask(port_, what); }
  RawReply ask_as_admin(Ask what) const {
    what.token = token_;
    return support::ask(port_, what);
  }
  RawReply post_ticket(std::string body = R"({"title":"Printer on fire"})", std::string fields = {}) const {
    return ask({.method = "POST", .path = "/v1/boards/" + public_board + "/tickets", .body = std::move(body), .fields = std::move(fields)});
  }

 private:
  fakes::ScratchFolder scratch_;
  std::map<std::string, std::string> environment_;
  std::string token_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace postroom::support
