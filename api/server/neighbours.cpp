#include "api/server/neighbours.hpp"

#include <algorithm>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "common/base/log.hpp"

namespace postroom::api {

namespace asio = boost::asio;
using boost::system::error_code;
using local = asio::local::stream_protocol;

namespace {

constexpr std::chrono::seconds longest{1};
constexpr std::size_t largest = 4 << 20;  // bytes
constexpr std::size_t most_neighbours = 64;

struct Round {
  std::vector<Neighbour> neighbours;
  std::size_t open = 0;
  std::function<void(std::vector<Neighbour>)> done;

  void leave() {
    if (--open == 0) done(std::move(neighbours));
  }
};

// One question. Callbacks instead of a coroutine: three steps, and whatever fails just ends it.
class Question : public std::enable_shared_from_this<Question> {
 public:
  Question(const asio::any_io_executor& loop, std::shared_ptr<Round> round, std::size_t index, std::filesystem::path path, std::string request)
      : socket_(loop), timer_(loop), round_(std::move(round)), index_(index), path_(std::move(path)), request_(std::move(request)) {}

  ~Question() { round_->leave(); }

  void start() {
    timer_.expires_after(longest);
    timer_.async_wait([self = shared_from_this()](error_code stopped) {
      error_code ignored;
      if (!stopped) self->socket_.close(ignored);
    });
    socket_.async_connect(local::endpoint{path_.string()}, [self = shared_from_this()](error_code failed) { self->connected(failed); });
  }

 private:
  void connected(error_code failed) {
    if (failed) {
      if (failed == asio::error::connection_refused) remove_dead();
      return end();
    }
    asio::async_write(socket_, asio::buffer(request_), [self = shared_from_this()](error_code broken, std::size_t) { self->written(broken); });
  }

  void written(error_code failed) {
    if (failed) return end();
    asio::async_read(socket_, asio::dynamic_buffer(answer_, largest), [self = shared_from_this()](error_code ended, std::size_t) { self->read(ended); });
  }

  void read(error_code ended) {
    const auto blank = answer_.find("\r\n\r\n");
    if (ended == asio::error::eof && blank != std::string::npos) round_->neighbours[index_].answer = answer_.substr(blank + 4);
    end();
  }

  void remove_dead() {
    std::error_code failed;
    std::filesystem::remove(path_, failed);
    log::info("removed the health socket of a dead process", {{"path", path_.string()}});
    round_->neighbours[index_].process.clear();
  }

  void end() { timer_.cancel(); }

  local::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<Round> round_;
  std::size_t index_;
  std::filesystem::path path_;
  std::string request_;
  std::string answer_;
};

}  // namespace

void Neighbours::ask(std::string_view path, std::function<void(std::vector<Neighbour>)> done) {
  auto round = std::make_shared<Round>();
  round->done = [done = std::move(done)](std::vector<Neighbour> all) {
    std::erase_if(all, [](const Neighbour& one) { return one.process.empty(); });
    std::ranges::sort(all, {}, &Neighbour::process);
    done(std::move(all));
  };
  std::vector<std::filesystem::path> sockets;
  std::error_code failed;
  for (std::filesystem::directory_iterator at{folder_, failed}, end; !failed && at != end; at.increment(failed)) {
    if (at->path().extension() == ".sock" && sockets.size() < most_neighbours) sockets.push_back(at->path());
  }
  round->open = 1;
  for (const auto& socket : sockets) round->neighbours.push_back(Neighbour{socket.stem().string(), {}});
  round->open += sockets.size();
  for (std::size_t index = 0; index < sockets.size(); ++index) {
    std::make_shared<Question>(loop_, round, index, sockets[index], std::string{"GET "}.append(path).append(" HTTP/1.0\r\n\r\n"))->start();
  }
  // Never inside the caller: an answer always comes later.
  asio::post(loop_, [round] { round->leave(); });
}

}  // namespace postroom::api
