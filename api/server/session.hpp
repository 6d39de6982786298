#pragma once
// One connection of a caller: reads requests strictly, one after the other, and answers them in order.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <string>

#include "api/front_door.hpp"
#include "api/server/reply_text.hpp"
#include "api/server/service.hpp"

namespace postroom::api {

struct SessionLimits {
  std::chrono::seconds head{10};   // from a head's first byte to its last
  std::chrono::seconds body{30};
  std::chrono::seconds idle{60};   // between requests
  std::chrono::seconds write{30};
  std::chrono::seconds linger{2};  // for the peer to hear the last answer
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  struct House {
    const Settings& settings;
    const FrontDoor& door;
    Service& service;
    const Clock& clock;
    SessionLimits limits;
  };

  Session(boost::asio::ip::tcp::socket socket, const House& house) : socket_(std::move(socket)), answered_(socket_.get_executor()), house_(house) {}

  // Until the connection ends. Throws nothing. `self` keeps the session alive.
  boost::asio::awaitable<void> run(std::shared_ptr<Session> self);

  // The server's clockwork calls this about twice a second.
  void check_deadline(SteadyTime now);

  // Shutting down: ends at once when no request is under way, else after its answer.
  void quiet();

 private:
  enum class Stage { idle, head, body, answering, writing, closing };

  boost::asio::awaitable<bool> serve_one();  // false: the connection is over
  boost::asio::awaitable<std::size_t> read_head_bytes();
  boost::asio::awaitable<bool> read_body(bool is_refused);
  boost::asio::awaitable<bool> read_sized_body(bool is_refused);
  boost::asio::awaitable<bool> read_chunked_body(bool is_refused);
  boost::asio::awaitable<Reply> ask_service();
  boost::asio::awaitable<bool> send(Reply reply, bool keep_alive);
  boost::asio::awaitable<bool> send_file(std::shared_ptr<FileBody> file);
  boost::asio::awaitable<void> linger();

  void enter(Stage stage, std::chrono::seconds limit);
  std::string_view buffered() const;

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer answered_;  // never runs out; cancelled when the answer is there
  House house_;
  boost::beast::flat_buffer buffer_;
  std::string head_bytes_;
  Visit visit_;
  std::optional<std::string> part_;  // of a file, from the service
  std::optional<Reply> reply_;    // from the service, or why the body was refused
  std::string out_;
  Stage stage_ = Stage::idle;
  SteadyTime deadline_ = SteadyTime::max();
  bool is_expired_ = false;
  bool is_quiet_ = false;
};

}  // namespace postroom::api
