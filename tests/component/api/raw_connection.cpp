#include "tests/component/api/raw_connection.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "common/base/text.hpp"

namespace postroom::support {

using Deadline = std::chrono::steady_clock::time_point;

RawConnection::RawConnection(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(socket_);
    throw std::runtime_error{fmt::format("nothing listens on port {}", port)};
  }
}

RawConnection::~RawConnection() { close(socket_); }

void RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawConnection::fill(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd watched{socket_, POLLIN, 0};
  if (left.count() <= 0 || poll(&watched, 1, static_cast<int>(left.count())) <= 0) return false;
  char bytes[16'384];
  const auto got = recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  in_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

RawReply RawConnection::read_reply(std::chrono::milliseconds longest, bool has_body) {
  const Deadline deadline = std::chrono::steady_clock::now() + longest;
  RawReply reply;
  while (in_.find("\r\n\r\n") == std::string::npos) {
    if (!fill(deadline)) return reply;
  }
  const auto blank = in_.find("\r\n\r\n");
  const auto lines = split(std::string_view{in_}.substr(0, blank), '\n');
  for (std::size_t n = 1; n < lines.size(); ++n) {
    const auto colon = lines[n].find(':');
    reply.headers[to_lower_ascii(lines[n].substr(0, colon))] = std::string{trimmed(lines[n].substr(colon + 1))};
  }
  const int status = std::stoi(std::string{lines[0].substr(9, 3)});
  const std::size_t size = has_body && reply.headers.contains("content-length") ? std::stoul(reply.headers["content-length"]) : 0;
  in_.erase(0, blank + 4);
  while (in_.size() < size) {
    if (!fill(deadline)) return reply;
  }
  reply.body = in_.substr(0, size);
  in_.erase(0, size);
  reply.status = status;
  return reply;
}

bool RawConnection::is_closed(std::chrono::milliseconds longest) {
  const Deadline deadline = std::chrono::steady_clock::now() + longest;
  while (fill(deadline)) {
  }
  return in_.empty() && std::chrono::steady_clock::now() < deadline;
}

RawReply ask(std::uint16_t port, const Ask& what, std::chrono::milliseconds longest) {
  RawConnection connection{port};
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", what.method, what.path);
  if (!what.token.empty()) head += fmt::format("Authorization: Bearer {}\r\n", what.token);
  if (!what.body.empty()) head += fmt::format("Content-Length: {}\r\n", what.body.size());
  if (!what.body.empty() && what.fields.find("Content-Type") == std::string::npos) head += "Content-Type: application/json\r\n";
  connection.send(head + what.fields + "\r\n" + what.body);
  return connection.read_reply(longest, what.method != "HEAD");
}

}  // namespace postroom::support
