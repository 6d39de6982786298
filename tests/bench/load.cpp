// bench_load: posts tickets over keep-alive connections and notes when each was meant to leave, left and was answered.
//
//   bench_load --port P --path /v1/boards/ID/tickets --tag NAME --times FILE [--rate N] [--seconds S] [--count N]
//              [--connections 64] [--text 600] [--creators]
//
// With a rate the loop is open: post n is due at start + n / rate whatever the answers do, waits for a free connection
// if there is none, and its time counts from when it was due, so that a server that stands still cannot hide it (no
// coordinated omission). Without one the loop is closed: every connection posts as soon as it is answered. It ends
// after the seconds or the count, whichever is first, when the last answer is there. FILE gets one line a post: number,
// due, sent, answered (nanoseconds of CLOCK_MONOTONIC), status (0: the connection broke). Bodies: a title "NAME
// NUMBER", a text of the given size, with --creators a creator of its own.

#include <time.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

struct Options {
  std::uint16_t port = 0;
  std::string path, tag = "bench", times;
  double rate = 0, seconds = 10;
  std::size_t count = SIZE_MAX, connections = 64, text = 600;
  bool has_creators = false;
};

struct Post {
  std::int64_t due = 0, sent = 0, answered = 0;
  int status = 0;
};

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class Connection;

// Who posts what when.
class Load {
 public:
  Load(asio::io_context& context, Options options);
  void start();
  void is_free(Connection& connection);
  void is_lost() { ++lost_; }
  std::string request(std::size_t number) const;
  Post& post(std::size_t number) { return posts_[number]; }
  int finish() const;

 private:
  bool is_over() const { return next_ >= options_.count || due(next_) >= ends_; }
  std::int64_t due(std::size_t number) const {
    return options_.rate > 0 ? began_ + static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / options_.rate)
                             : now();
  }
  void hand_out();

  Options options_;
  asio::io_context& context_;
  asio::steady_timer timer_;
  std::deque<Post> posts_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::deque<Connection*> free_;
  std::size_t next_ = 0, lost_ = 0;
  std::int64_t began_ = 0, ends_ = 0;
  std::string text_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& context, Load& load) : socket_(context), load_(load) {}

  void open(std::uint16_t port) {
    socket_.connect(tcp::endpoint{asio::ip::address_v4::loopback(), port});
    socket_.set_option(tcp::no_delay{true});
  }

  void send(std::size_t number) {
    number_ = number;
    out_ = load_.request(number);
    load_.post(number).sent = now();
    asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) return self->load_.is_lost();
      self->read();
    });
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(in_.data() + filled_, in_.size() - filled_),
                            [self = shared_from_this()](error_code failed, std::size_t size) {
                              self->filled_ += size;
                              if (failed || self->filled_ == self->in_.size()) return self->load_.is_lost();
                              self->is_whole() ? self->answered() : self->read();
                            });
  }

  bool is_whole() const {
    const std::string_view seen{in_.data(), filled_};
    const auto end = seen.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    constexpr std::string_view field = "Content-Length: ";
    const auto at = seen.find(field);
    std::size_t length = 0;
    if (at < end) std::from_chars(seen.data() + at + field.size(), seen.data() + end, length);
    return filled_ >= end + 4 + length;
  }

  void answered() {
    Post& post = load_.post(number_);
    post.answered = now();
    std::from_chars(in_.data() + std::strlen("HTTP/1.1 "), in_.data() + filled_, post.status);
    filled_ = 0;
    load_.is_free(*this);
  }

  tcp::socket socket_;
  Load& load_;
  std::size_t number_ = 0, filled_ = 0;
  std::string out_;
  std::array<char, 16 * 1024> in_{};
};

Load::Load(asio::io_context& context, Options options)
    : options_(std::move(options)), context_(context), timer_(context) {
  constexpr std::string_view words = "The printer on the third floor says that it is out of paper, and it is not. ";
  while (text_.size() < options_.text) text_ += words;
  text_.resize(options_.text);
}

void Load::start() {
  for (std::size_t n = 0; n < options_.connections; ++n) {
    connections_.push_back(std::make_shared<Connection>(context_, *this));
    connections_.back()->open(options_.port);
    free_.push_back(connections_.back().get());
  }
  began_ = now();
  ends_ = began_ + static_cast<std::int64_t>(options_.seconds * 1e9);
  hand_out();
}

void Load::is_free(Connection& connection) {
  free_.push_back(&connection);
  hand_out();
}

// Sends what is due over the connections that are free. An open loop sets its clock for the next one.
void Load::hand_out() {
  while (!free_.empty() && !is_over() && due(next_) <= now()) {
    posts_.push_back({.due = due(next_)});
    Connection* connection = free_.front();
    free_.pop_front();
    connection->send(next_++);
  }
  if (options_.rate <= 0 || is_over() || free_.empty()) return;
  timer_.expires_after(std::chrono::nanoseconds(std::max<std::int64_t>(0, due(next_) - now())));
  timer_.async_wait([this](error_code cancelled) {
    if (!cancelled) hand_out();
  });
}

std::string Load::request(std::size_t number) const {
  const std::string n = std::to_string(number);
  std::string body = R"({"title": ")" + options_.tag + " " + n + R"(", "description": ")" + text_ + '"';
  if (options_.has_creators)
    body += R"(, "creator_email": "creator)" + n + R"(@example.test", "creator_name": "Ann )" + n + '"';
  body += "}";
  return "POST " + options_.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
         "\r\nContent-Type: application/json\r\nIdempotency-Key: " + options_.tag + "-" + n +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

int Load::finish() const {
  std::FILE* file = std::fopen(options_.times.c_str(), "w");
  if (file == nullptr) return std::perror("bench_load"), 1;
  for (std::size_t n = 0; n < posts_.size(); ++n) {
    const Post& post = posts_[n];
    std::fprintf(file, "%zu %lld %lld %lld %d\n", n, static_cast<long long>(post.due),
                 static_cast<long long>(post.sent), static_cast<long long>(post.answered), post.status);
  }
  const bool is_written = std::fclose(file) == 0;
  if (lost_ > 0) std::fprintf(stderr, "bench_load: %zu connections broke\n", lost_);
  return is_written && lost_ == 0 ? 0 : 1;
}

Options read(int count, char** words) {
  Options options;
  for (int at = 1; at < count; ++at) {
    const std::string name = words[at];
    if (name == "--creators") {
      options.has_creators = true;
      continue;
    }
    if (at + 1 == count) throw std::invalid_argument(name + " needs a value");
    const std::string value = words[++at];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::stoul(value));
    else if (name == "--path")
      options.path = value;
    else if (name == "--tag")
      options.tag = value;
    else if (name == "--times")
      options.times = value;
    else if (name == "--rate")
      options.rate = std::stod(value);
    else if (name == "--seconds")
      options.seconds = std::stod(value);
    else if (name == "--count")
      options.count = std::stoul(value);
    else if (name == "--connections")
      options.connections = std::stoul(value);
    else if (name == "--text")
      options.text = std::stoul(value);
    else
      throw std::invalid_argument("unknown option " + name);
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  try {
    asio::io_context context{1};
    Load load{context, read(count, words)};
    load.start();
    context.run();
    return load.finish();
  } catch (const std::exception& wrong) {
    std::fprintf(stderr, "bench_load: %s\n", wrong.what());
    return 2;
  }
}
