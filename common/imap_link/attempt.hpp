#pragma once
// Private to common/imap_link: one curl handle that connects, secures and logs in, and what came of it.

#include <curl/curl.h>

#include <string>

#include "common/http/address.hpp"
#include "common/imap_link/certificates.hpp"
#include "common/imap_link/link.hpp"

namespace postroom::imap_link {

struct Rules {
  Settings settings;
  http::AddressGuard guard;
  Certificates certificates;
};

Result<void> check(const Account& account);

class Attempt {
 public:
  enum class Security { tls, starttls, none };
  // How the password is handed over. libcurl left to itself prefers what needs more than a password, such as Kerberos, and
  // gives up when that fails; so it has two mechanisms to choose from, or none: then the connection stands and is not logged
  // in (PlainLogin).
  enum class Login { sasl, command };
  Attempt(const Account& account, const Place& place, Security security, Login login, const Rules& rules);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  CURL* handle() { return easy_; }
  Security security() const { return security_; }
  Login login() const { return login_; }
  Standing standing() const;
  Ending ending(CURLcode code) const;
  Ending timed_out() const;
  Ending refused(std::string_view line);  // to LOGIN
  // The server offers no STARTTLS, and stands where the configuration allows to do without.
  bool may_do_without_tls(CURLcode code) const;
  // The server takes passwords only by the LOGIN command. None was sent so far.
  bool may_log_in_by_command(CURLcode code) const;

 private:
  void set_tls();
  curl_socket_t open_socket(const curl_sockaddr& where);
  void take_line(std::string_view line);
  Trouble classify(CURLcode code) const;
  std::string describe(Trouble trouble, CURLcode code) const;
  std::string remote_address() const;
  bool is_reached(Trouble trouble) const;

  const Rules& rules_;
  Security security_;
  Login login_;
  std::string host_and_port_;
  CURL* easy_;
  bool saw_open_address_ = false;
  bool saw_greeting_ = false;
  bool offers_sasl_ = false;  // a mechanism that needs just a password
  bool offers_login_ = false;
  std::string blocked_address_;
  std::string last_line_;  // of the server
  char problem_[CURL_ERROR_SIZE] = {};
};

}  // namespace postroom::imap_link
