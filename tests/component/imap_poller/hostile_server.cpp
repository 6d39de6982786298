#include "tests/component/imap_poller/hostile_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "common/base/text.hpp"

namespace postroom::imap_poller {

namespace {

// "11:13,20" → 11 12 13 20
std::vector<std::uint32_t> numbers_of(std::string_view set) {
  std::vector<std::uint32_t> numbers;
  for (const auto part : split(set, ',')) {
    const auto colon = part.find(':');
    const auto first = static_cast<std::uint32_t>(std::stoul(std::string{part.substr(0, colon)}));
    const auto last = colon == std::string_view::npos ? first : static_cast<std::uint32_t>(std::stoul(std::string{part.substr(colon + 1)}));
    for (auto number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

std::string mail_of(std::uint32_t uid) { return fmt::format("Subject: mail {}\r\n\r\nbody {}\r\n", uid, uid); }

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

HostileServer::HostileServer(std::vector<std::uint32_t> uids, Manners manners) : uids_(std::move(uids)), manners_(std::move(manners)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("no socket to listen at");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

HostileServer::~HostileServer() {
  is_ending_ = true;
  thread_.join();
  ::close(listener_);
}

std::string HostileServer::base_url() const { return fmt::format("imap://127.0.0.1:{}", port_); }

void HostileServer::serve() {
  while (!is_ending_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) != 1) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++sessions_;
    talk(fd);
    ::close(fd);
  }
}

void HostileServer::talk(int fd) {
  std::string buffer;
  if (!send_all(fd, "* OK come in\r\n")) return;
  while (!is_ending_) {
    for (auto end = buffer.find("\r\n"); end != std::string::npos; end = buffer.find("\r\n")) {
      const std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 2);
      if (!answer(fd, line)) return;
    }
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, 20) != 1) continue;
    std::array<char, 4096> part{};
    const auto count = ::recv(fd, part.data(), part.size(), 0);
    if (count <= 0) return;
    buffer.append(part.data(), static_cast<std::size_t>(count));
  }
}

bool HostileServer::answer(int fd, const std::string& line) {
  const auto words = split(line, ' ');
  if (words.size() < 2) return line == "DONE";
  const std::string tag{words[0]};
  std::string out;
  if (words[1] == "CAPABILITY") out = "* CAPABILITY IMAP4rev1\r\n";
  if (words[1] == "SELECT" || words[1] == "EXAMINE")
    out = fmt::format("* {} EXISTS\r\n* OK [UIDVALIDITY 5] ok\r\n* OK [UIDNEXT {}] ok\r\n", uids_.size(), uids_.back() + 1);
  if (line.find("UID SEARCH") != std::string::npos) {
    out = "* SEARCH";
    const auto from = numbers_of(words.back().substr(0, words.back().find(':'))).front();
    for (const auto uid : uids_) {
      if (uid >= from) out += fmt::format(" {}", uid);
    }
    out += "\r\n";
  }
  if (line.find("UID FETCH") != std::string::npos) {
    for (const auto uid : numbers_of(words[3])) {
      if (std::ranges::find(uids_, uid) == uids_.end()) continue;
      const std::string mail = mail_of(uid);
      if (line.find("BODY.PEEK") == std::string::npos) {
        out += fmt::format("* 1 FETCH (UID {} RFC822.SIZE {})\r\n", uid, mail.size());
        continue;
      }
      if (const std::string worse = manners_(uid); !worse.empty()) {
        send_all(fd, out + worse);
        return false;
      }
      out += fmt::format("* 1 FETCH (UID {} BODY[] {{{}}}\r\n{})\r\n", uid, mail.size(), mail);
    }
  }
  return send_all(fd, fmt::format("{}{} OK done\r\n", out, tag)) && words[1] != "LOGOUT";
}

}  // namespace postroom::imap_poller
