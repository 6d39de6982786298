#pragma once
// Accepts connections and keeps their clock. One thread: the loop's.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <set>

#include "api/server/session.hpp"

namespace postroom::api {

class Server {
 public:
  // `connection_limit`: beyond it nobody is accepted until somebody leaves; the kernel's backlog holds them.
  Server(boost::asio::io_context& loop, Session::House house, std::size_t connection_limit);

  // Throws std::runtime_error naming the address when it cannot be listened on. Port 0: any; the answer is the port.
  std::uint16_t listen(const std::string& host, std::uint16_t port);

  // Stops accepting, lets requests under way finish, and calls `done` when the last connection has gone, at most after `longest`.
  void drain(std::chrono::seconds longest, std::function<void()> done);

  std::size_t connections() const { return sessions_.size(); }

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(std::shared_ptr<Session> session);
  void tick();

  boost::asio::io_context& loop_;
  Session::House house_;
  std::size_t connection_limit_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer clockwork_;
  boost::asio::steady_timer pause_;  // before accepting goes on
  std::set<std::shared_ptr<Session>> sessions_;
  bool is_ticking_ = false;
  bool is_draining_ = false;
  SteadyTime drained_by_{};
  std::function<void()> drained_;
};

}  // namespace postroom::api
