#pragma once
// Real mail servers: an SMTP server that delivers into mailboxes. mail_servers.py does the work; it ends with its owner.

#include <string>
#include <vector>

#include "tests/support/child.hpp"

namespace postroom::support {

class MailServers {
 public:
  MailServers();  // throws std::runtime_error when they do not greet

  std::string open_url() const { return "smtp://127.0.0.1:" + text("open"); }              // from anybody, without TLS
  std::string submission_url() const { return "smtp://127.0.0.1:" + text("submission"); }  // STARTTLS and a login
  std::string smtps_url() const { return "smtps://localhost:" + text("smtps"); }           // TLS from the first byte and a login
  std::string ca_file() const { return text("ca_file"); }
  std::string account() const { return text("account"); }
  std::string secret() const { return text("secret"); }

  // The mailbox, as soon as that many mails are in it; fewer when no more come.
  std::vector<std::string> mails_of(const std::string& user, std::size_t count);

 private:
  std::string text(std::string_view member) const;

  Child process_;
  std::string facts_;
};

}  // namespace postroom::support
