#pragma once
// The engine on a plain TCP socket: what the transport does for it in the real worker, in a few lines.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/imap/engine.hpp"

namespace postroom::fixtures {

// A logged-in connection (LOGIN in plain, on loopback) that speaks by hand: the other client.
class Connection {
 public:
  Connection(std::uint16_t port, std::string_view user);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends one command and reads until its answer; throws unless it is OK. Returns the untagged lines.
  std::string command(std::string_view text);

  void send_all(std::string_view bytes);
  // What is there, after at most `wait`; nothing when it is closed.
  std::optional<std::string> receive(std::chrono::milliseconds wait);

 private:
  int socket_ = -1;
  int last_tag_ = 0;
};

// What a session found. Mails by UID, each with its bytes.
struct Findings {
  std::optional<imap::Selected> selected;
  std::map<imap::Uid, std::string> mails;
  std::map<imap::Uid, imap::MailMissing::Why> missing;
  std::vector<imap::ChoreDone> chores;
  imap::Cursor cursor;
  int mail_count = 0;  // MailEnd, also of the same UID
  int validity_changes = 0;
  int times_caught_up = 0;
  bool is_done = false;
  std::string failure;
};

class Session {
 public:
  Session(std::uint16_t port, std::string_view user, imap::Task task, imap::Settings settings = {});

  // Until `enough` says so, the session ends, or 60 seconds have passed (throws).
  void run_until(const std::function<bool(const Findings&)>& enough);
  void run_to_the_end();
  imap::Engine& engine() { return engine_; }
  const Findings& findings() const { return findings_; }
  // Called after every mail: where a test lets another client interfere.
  std::function<void()> after_mail = [] {};
  void act(const imap::Actions& actions);

 private:
  Connection connection_;
  imap::Engine engine_;
  Findings findings_;
  std::string body_;
  std::optional<SteadyTime> wake_;
};

}  // namespace postroom::fixtures
