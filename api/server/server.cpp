#include "api/server/server.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "common/base/log.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::api {

namespace asio = boost::asio;
using asio::use_awaitable;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {
constexpr milliseconds tick_length{500};
constexpr milliseconds accept_pause{100};
}  // namespace

Server::Server(asio::io_context& loop, Session::House house, std::size_t connection_limit)
    : loop_(loop), house_(std::move(house)), connection_limit_(connection_limit), acceptor_(loop), clockwork_(loop), pause_(loop) {}

std::uint16_t Server::listen(const std::string& host, std::uint16_t port) {
  error_code failed;
  asio::ip::tcp::resolver resolver{loop_};
  const auto found = resolver.resolve(host, std::to_string(port), asio::ip::tcp::resolver::passive, failed);
  if (failed || found.empty()) throw std::runtime_error{fmt::format("api.listen_host: {} is not an address of this host: {}", host, failed.message())};
  const auto endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) acceptor_.set_option(asio::socket_base::reuse_address{true}, failed);
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) throw std::runtime_error{fmt::format("cannot listen on {}:{} (api.listen_host, api.listen_port): {}", host, port, failed.message())};
  asio::co_spawn(loop_, accept(), asio::detached);
  return acceptor_.local_endpoint().port();
}

asio::awaitable<void> Server::accept() {
  while (!is_draining_) {
    error_code failed;
    if (sessions_.size() >= connection_limit_) {
      pause_.expires_after(accept_pause);
      co_await pause_.async_wait(asio::redirect_error(use_awaitable, failed));
      continue;
    }
    auto socket = co_await acceptor_.async_accept(asio::redirect_error(use_awaitable, failed));
    if (failed == asio::error::operation_aborted) co_return;
    if (failed) {
      // No descriptors or no memory: without a pause the same connection would be refused again and again, hotly.
      static auto& count = metrics::counter("accept_failures");
      count.add();
      log::warning("a connection could not be accepted", {{"why", failed.message()}});
      pause_.expires_after(accept_pause);
      co_await pause_.async_wait(asio::redirect_error(use_awaitable, failed));
      continue;
    }
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    auto session = std::make_shared<Session>(std::move(socket), house_);
    sessions_.insert(session);
    if (!is_ticking_) tick();
    asio::co_spawn(loop_, serve(session), asio::detached);
  }
}

asio::awaitable<void> Server::serve(std::shared_ptr<Session> session) {
  co_await session->run(session);
  sessions_.erase(session);
  if (is_draining_ && sessions_.empty()) clockwork_.cancel();
}

// Deadlines are kept by looking twice a second, while anybody is connected: a timer for each read costs more than all of these looks.
void Server::tick() {
  is_ticking_ = !sessions_.empty();
  const auto now = house_.clock.steady();
  if (is_draining_ && drained_ && (sessions_.empty() || now >= drained_by_)) {
    is_ticking_ = false;
    return std::exchange(drained_, nullptr)();
  }
  if (!is_ticking_) return;
  for (const auto& session : sessions_) session->check_deadline(now);
  clockwork_.expires_after(tick_length);
  clockwork_.async_wait([this](error_code) { tick(); });
}

void Server::drain(std::chrono::seconds longest, std::function<void()> done) {
  is_draining_ = true;
  drained_by_ = house_.clock.steady() + longest;
  drained_ = std::move(done);
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (const auto& session : sessions_) session->quiet();
  if (sessions_.empty() && !is_ticking_) return std::exchange(drained_, nullptr)();
  clockwork_.cancel();
}

}  // namespace postroom::api
