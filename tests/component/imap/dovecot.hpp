#pragma once
// A private Dovecot: own folder, own port, one unprivileged owner of the mail. Needs root, as Dovecot itself does.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace postroom::fixtures {

class Dovecot {
 public:
  static bool is_installed();

  Dovecot();   // ready to be logged in to, or throws
  ~Dovecot();  // stopped by its own control program, folder removed
  Dovecot(const Dovecot&) = delete;
  Dovecot& operator=(const Dovecot&) = delete;

  std::uint16_t port() const { return port_; }
  static constexpr std::string_view password = "pass-w\xc3\xb6rd";

  // Puts a mail into a mailbox as a file of its maildir: the server finds it as if another program had delivered it.
  void deliver(std::string_view user, std::string_view mail);
  // Makes Dovecot forget its UIDs: the mailbox gets a new UIDVALIDITY.
  void reset_uids(std::string_view user);

 private:
  std::filesystem::path maildir(std::string_view user) const;
  void write_config() const;

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  int delivered_ = 0;
};

}  // namespace postroom::fixtures
