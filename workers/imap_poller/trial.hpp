#pragma once
// The test of a mailbox connection as a value: what is checked in which order, and what a person is told. Read-only: the folder
// is opened with EXAMINE, and nothing is fetched.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/imap/engine.hpp"
#include "common/imap_link/link.hpp"
#include "common/messages/poll.hpp"

namespace postroom::imap_poller {

class Trial {
 public:
  explicit Trial(messages::ImapPollerTest test);

  // Each returns what is to be sent. When there is a result, the connection may be closed.
  std::string on_connected(const imap_link::Standing& standing, SteadyTime now);
  std::string on_bytes(std::string_view bytes, SteadyTime now);
  void on_disconnected(const imap_link::Ending& ending);
  void on_no_secret();
  void on_too_late();  // a person waits

  const std::optional<messages::TestOutcome>& result() const { return result_; }

 private:
  std::string perform(const imap::Actions& actions);
  void opened(const imap::Selected& mailbox);
  void pass(std::string name, std::string detail);
  void stop_at(std::string name, std::string detail, messages::ReasonClass why);
  void pass_connection(std::string_view address, bool is_encrypted);

  messages::ImapPollerTest test_;
  std::string folder_;
  std::optional<imap::Engine> engine_;
  std::vector<messages::TestCheck> checks_;
  std::optional<messages::TestOutcome> result_;
};

}  // namespace postroom::imap_poller
