#pragma once
// The failing SMTP server of tests/sims/smtp.py on a free port, and what it saw.

#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/scratch_folder.hpp"

namespace postroom::support {

class SmtpServer {
 public:
  // Its options as in smtp.py: {"--tls", "starttls"}. Throws std::runtime_error when it does not start.
  explicit SmtpServer(std::vector<std::string> options = {});

  std::string url(std::string_view scheme = "smtp") const;
  std::string ca_file() const { return (folder_.path() / "ca.pem").string(); }

  struct Mail {
    std::string sender;
    std::vector<std::string> recipients;
    std::string content;
    bool has_login = false;
  };
  std::vector<Mail> mails() const;              // whole ones, in order
  std::vector<std::string> lines() const;       // commands
  bool comes_to_say(std::string_view line) const;  // the client; waits a little for it
  std::size_t count(std::string_view event) const;
  std::string log() const;

 private:
  ScratchFolder folder_;
  Child process_;
  std::string port_;
};

}  // namespace postroom::support
