#pragma once
// An IMAP server with bad manners, on a thread of its own: it logs everybody in without encryption, has the mails that it is given, and
// misbehaves as told.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace postroom::imap_poller {

class HostileServer {
 public:
  // What it does when the body of this mail is asked for: it is given the answer's beginning, and returns what is sent before it hangs up;
  // nothing returned: the mail is sent as it should be.
  using Manners = std::function<std::string(std::uint32_t uid)>;
  HostileServer(std::vector<std::uint32_t> uids, Manners manners);
  ~HostileServer();
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string base_url() const;
  int sessions() const { return sessions_; }

 private:
  void serve();
  void talk(int fd);
  bool answer(int fd, const std::string& line);  // false: hang up

  std::vector<std::uint32_t> uids_;
  Manners manners_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> sessions_{0};
  std::atomic<bool> is_ending_{false};
  std::thread thread_;
};

}  // namespace postroom::imap_poller
