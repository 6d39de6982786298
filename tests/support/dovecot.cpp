#include "tests/support/dovecot.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace postroom::fixtures {

namespace {

constexpr const char* owner = "mail";  // present on every Debian, owns nothing else here

std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::system_error{errno, std::generic_category(), "no free port"};
  }
  ::close(probe);
  return ntohs(address.sin_port);
}

void run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error{"failed: " + command};
}

// Until the first byte of a greeting comes.
bool greets(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  bool has_greeted = false;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    pollfd waiting{fd, POLLIN, 0};
    char byte = 0;
    has_greeted = ::poll(&waiting, 1, 10'000) == 1 && ::recv(fd, &byte, 1, 0) == 1;
  }
  ::close(fd);
  return has_greeted;
}

}  // namespace

Dovecot::Dovecot(Encryption encryption) : encryption_(encryption), port_(free_port()), tls_port_(free_port()) {
  if (::access("/usr/sbin/dovecot", X_OK) != 0 || ::geteuid() != 0)
    throw std::runtime_error{"Dovecot must be installed (dovecot-imapd), and root start it"};
  std::string pattern = (std::filesystem::temp_directory_path() / "postroom-dovecot-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error{errno, std::generic_category(), pattern};
  folder_ = pattern;
  ::chmod(folder_.c_str(), 0755);
  std::filesystem::create_directory(folder_ / "mail");
  const passwd* user = ::getpwnam(owner);
  if (user == nullptr || ::chown((folder_ / "mail").c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error{"no user to own the mail"};
  if (encryption_ == Encryption::offered) {
    run(fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
                    "-addext subjectAltName=DNS:localhost -keyout {0}/key.pem -out {0}/certificate.pem 2>{0}/openssl.log",
                    folder_.string()));
  }
  write_config();
  run(fmt::format("/usr/sbin/dovecot -c {}/dovecot.conf", folder_.string()));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!greets(port_)) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error{"Dovecot does not greet"};
    ::poll(nullptr, 0, 20);
  }
}

Dovecot::~Dovecot() {
  resume();
  [[maybe_unused]] const int stopped =
      std::system(fmt::format("doveadm -c {}/dovecot.conf stop", folder_.string()).c_str());
  // Its processes may still be closing their files.
  std::error_code ignored;
  for (int tries = 0; tries < 50 && std::filesystem::exists(folder_); ++tries) {
    std::filesystem::remove_all(folder_, ignored);
    if (ignored) ::poll(nullptr, 0, 20);
  }
}

void Dovecot::write_config() const {
  const bool is_encrypted = encryption_ == Encryption::offered;
  const std::string ssl = is_encrypted ? fmt::format("ssl = yes\nssl_cert = <{0}/certificate.pem\nssl_key = <{0}/key.pem", folder_.string())
                                       : "ssl = no";
  const int tls_port = is_encrypted ? tls_port_ : 0;
  std::ofstream{folder_ / "dovecot.conf"} << fmt::format(R"(base_dir = {0}/run
state_dir = {0}/state
log_path = {0}/log
protocols = imap
listen = 127.0.0.1
{4}
disable_plaintext_auth = no
mail_location = maildir:{0}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
mail_privileged_group =
mail_max_userip_connections = 50
maildir_very_dirty_syncs = no
mailbox_idle_check_interval = 1 s
default_internal_user = dovecot
default_login_user = dovenull
service imap-login {{
  inet_listener imap {{
    port = {1}
  }}
  inet_listener imaps {{
    port = {5}
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password={2}
}}
userdb {{
  driver = static
  args = uid={3} gid={3} home={0}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Archive {{
    auto = create
  }}
}}
)",
                                                         folder_.string(), port_, password, owner, ssl, tls_port);
}

std::filesystem::path Dovecot::maildir(std::string_view user) const {
  return folder_ / "mail" / user;
}

void Dovecot::deliver(std::string_view user, std::string_view mail) {
  const passwd* entry = ::getpwnam(owner);
  const auto own = [&](const std::filesystem::path& path) {
    return ::chown(path.c_str(), entry->pw_uid, entry->pw_gid) == 0;
  };
  for (const char* part : {"", "tmp", "new", "cur"}) {
    const auto path = maildir(user) / part;
    if (std::filesystem::create_directory(path) && !own(path)) throw std::runtime_error{"chown " + path.string()};
  }
  const std::string name = fmt::format("{}.M{}P{}.test", 1'790'000'000 + delivered_, delivered_, ::getpid());
  ++delivered_;
  const auto draft = maildir(user) / "tmp" / name;
  std::ofstream{draft, std::ios::binary} << mail;
  if (!own(draft)) throw std::runtime_error{"chown " + draft.string()};
  std::filesystem::rename(draft, maildir(user) / "new" / name);
}

void Dovecot::reset_uids(std::string_view user) {
  for (const char* file :
       {"dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache", "dovecot-uidvalidity"}) {
    std::filesystem::remove(maildir(user) / file);
  }
}

void Dovecot::kick(std::string_view user) {
  run(fmt::format("doveadm -c {}/dovecot.conf kick {} >/dev/null", folder_.string(), user));
}

// Its processes are the master and the children of that.
void Dovecot::signal_all(int number) const {
  int master = 0;
  std::ifstream{folder_ / "run" / "master.pid"} >> master;
  if (master <= 0) return;
  ::kill(master, number);
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::string status;
    std::getline(std::ifstream{entry.path() / "stat"}, status);
    const auto after_name = status.rfind(')');
    if (after_name == std::string::npos) continue;
    char state = 0;
    int parent = 0;
    std::istringstream{status.substr(after_name + 1)} >> state >> parent;
    if (parent == master) ::kill(pid, number);
  }
}

void Dovecot::pause() { signal_all(SIGSTOP); }
void Dovecot::resume() { signal_all(SIGCONT); }

}  // namespace postroom::fixtures
