#pragma once
// A private Dovecot: own folder, own ports, one unprivileged owner of the mail. Needs root, as Dovecot itself does.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace postroom::fixtures {

class Dovecot {
 public:
  // With encryption: TLS on one port, STARTTLS on the other, with a certificate of its own for localhost.
  enum class Encryption { offered, none };

  // Ready to be logged in to. Throws when Dovecot is not installed (packages dovecot-imapd, openssl) or does not start.
  explicit Dovecot(Encryption encryption = Encryption::none);
  ~Dovecot();  // stopped, folder removed
  Dovecot(const Dovecot&) = delete;
  Dovecot& operator=(const Dovecot&) = delete;

  std::uint16_t port() const { return port_; }          // plain, or STARTTLS
  std::uint16_t tls_port() const { return tls_port_; }  // TLS from the first byte
  std::string certificate() const { return (folder_ / "certificate.pem").string(); }
  static constexpr std::string_view password = "pass-w\xc3\xb6rd";  // of every user

  // Puts a mail into a mailbox as a file of its maildir: the server finds it as if another program had delivered it.
  void deliver(std::string_view user, std::string_view mail);
  // Makes Dovecot forget its UIDs: the mailbox gets a new UIDVALIDITY (made from the time in seconds).
  void reset_uids(std::string_view user);
  void kick(std::string_view user);  // ends the user's sessions
  void pause();                      // SIGSTOP of all its processes: a silent peer
  void resume();

 private:
  std::filesystem::path maildir(std::string_view user) const;
  void write_config() const;
  void signal_all(int number) const;

  std::filesystem::path folder_;
  Encryption encryption_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  int delivered_ = 0;
};

}  // namespace postroom::fixtures
