#include "api/cli/free_ports.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <random>

namespace postroom::cli {

namespace {

// On every address: a server that listens on all of them holds the port too.
bool is_free(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  const bool is_bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return is_bound;
}

}  // namespace

Result<std::vector<std::uint16_t>> choose_free_ports(std::size_t count) {
  std::random_device entropy;
  std::uniform_int_distribution<int> any{10240, 29999};
  std::vector<std::uint16_t> ports;
  for (int attempt = 0; attempt < 2000 && ports.size() < count; ++attempt) {
    const auto port = static_cast<std::uint16_t>(any(entropy));
    if (std::ranges::find(ports, port) == ports.end() && is_free(port)) ports.push_back(port);
  }
  if (ports.size() < count) return Error{Code::unavailable, "no free loopback ports between 10240 and 29999"};
  return ports;
}

}  // namespace postroom::cli
