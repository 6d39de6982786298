#include "common/broker/link.hpp"

#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/broker/wire.hpp"

namespace postroom::broker {

namespace {

constexpr timeval connect_patience{3, 0};
constexpr timeval rpc_patience{5, 0};
constexpr int send_buffer = 1 << 20;  // asked for; the kernel caps it at net.core.wmem_max and doubles it

std::string library_text(int status) { return amqp_error_string2(status); }

// Half of the effective send buffer: what is unconfirmed then always fits, and the kernel keeps its overhead in the other half.
std::size_t half_of_send_buffer(int fd) {
  int effective = 0;
  socklen_t size = sizeof effective;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &effective, &size) != 0 || effective < 2 * 65536) return 65536;
  return static_cast<std::size_t>(effective) / 2;
}

// A connect to a closed port of the ephemeral range can meet itself; it would then occupy the port that the broker is about to open.
bool talks_to_itself(int fd) {
  sockaddr_storage here{};
  sockaddr_storage there{};
  socklen_t here_size = sizeof here;
  socklen_t there_size = sizeof there;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_size) != 0) return false;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_size) != 0) return false;
  return here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
}

amqp_table_entry_t flag(const char* name) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

amqp_table_entry_t text(const char* name, std::string_view value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = wire::bytes(value);
  return entry;
}

Result<void> log_in(amqp_connection_state_t connection, const Endpoint& to) {
  std::array capabilities{flag("connection.blocked"), flag("consumer_cancel_notify"), flag("basic.nack"), flag("publisher_confirms"),
                          flag("authentication_failure_close")};
  std::array properties{text("connection_name", to.connection_name), text("product", "Postroom"), amqp_table_entry_t{}};
  properties[2].key = amqp_cstring_bytes("capabilities");
  properties[2].value.kind = AMQP_FIELD_KIND_TABLE;
  properties[2].value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  const amqp_table_t table{static_cast<int>(properties.size()), properties.data()};
  const auto seconds = std::max<std::int64_t>(1, (to.heartbeat.count() + 999) / 1000);
  return succeeded(amqp_login_with_properties(connection, to.vhost.c_str(), 2047, AMQP_DEFAULT_FRAME_SIZE, static_cast<int>(seconds), &table,
                                              AMQP_SASL_METHOD_PLAIN, to.user.c_str(), to.password.c_str()),
                   fmt::format("log in as {}", to.user));
}

}  // namespace

Result<void> succeeded(const amqp_rpc_reply_t& reply, std::string_view doing) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return {};
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto* close = static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
        return Error{Code::conflict, fmt::format("{} {}", close->reply_code, wire::view(close->reply_text)), std::string{doing}};
      }
      if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto* close = static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
        const auto code = close->reply_code == AMQP_ACCESS_REFUSED ? Code::unauthorized : Code::unavailable;
        return Error{code, fmt::format("{} {}", close->reply_code, wire::view(close->reply_text)), std::string{doing}};
      }
      return Error{Code::unavailable, "the broker refused", std::string{doing}};
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return Error{Code::unavailable, library_text(reply.library_error), std::string{doing}};
    default: return Error{Code::unavailable, "the broker hung up", std::string{doing}};
  }
}

// --- an open link ---

Link::Link(amqp_connection_state_t connection, std::chrono::milliseconds heartbeat, SteadyTime now)
    : connection_(connection),
      fd_(amqp_get_sockfd(connection)),
      frame_max_(static_cast<std::size_t>(amqp_get_frame_max(connection))),
      window_(half_of_send_buffer(fd_)),
      heartbeat_(heartbeat),
      heard_(now),
      spoke_(now) {}

Link::~Link() { amqp_destroy_connection(connection_); }

Result<bool> Link::read(std::size_t limit, const std::function<void(const amqp_frame_t&)>& each) {
  const timeval no_wait{0, 0};
  for (std::size_t count = 0; count < limit; ++count) {
    amqp_frame_t frame;
    const int status = amqp_simple_wait_frame_noblock(connection_, &frame, &no_wait);
    if (status == AMQP_STATUS_TIMEOUT) {
      amqp_maybe_release_buffers(connection_);
      return false;
    }
    if (status != AMQP_STATUS_OK) return Error{Code::unavailable, library_text(status), "read"};
    each(frame);
  }
  amqp_maybe_release_buffers(connection_);
  return true;
}

Result<void> Link::flush(SteadyTime now) {
  while (sent_ < out_.size()) {
    const auto count = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        out_.erase(0, sent_);
        sent_ = 0;
        return {};
      }
      return Error{Code::unavailable, std::strerror(errno), "write"};
    }
    sent_ += static_cast<std::size_t>(count);
    spoke_ = now;
  }
  out_.clear();
  sent_ = 0;
  if (out_.capacity() > (1U << 20)) out_.shrink_to_fit();  // one large mail must not keep its room for ever
  return {};
}

Result<void> Link::beat(SteadyTime now) {
  if (heartbeat_.count() == 0) return {};
  if (now - heard_ >= 2 * heartbeat_) return Error{Code::unavailable, fmt::format("silent for {} ms", 2 * heartbeat_.count()), "broker"};
  // With something unsent the peer does not read: another frame would tell it nothing.
  if (now - spoke_ >= heartbeat_ / 2 && out_.empty()) {
    wire::append_heartbeat(out_);
    return flush(now);
  }
  return {};
}

SteadyTime Link::next_beat() const {
  if (heartbeat_.count() == 0) return SteadyTime::max();
  const auto silence = heard_ + 2 * heartbeat_;
  return out_.empty() ? std::min(silence, spoke_ + heartbeat_ / 2) : silence;
}

// --- dialling ---

struct Dial::Shared {
  std::mutex lock;
  std::condition_variable changed;
  bool is_given_up = false;
  bool is_finished = false;
  int fd = -1;  // while a blocking call may be in it
  Result<std::unique_ptr<Link>> outcome = Error{Code::unavailable, "not finished"};

  // False when it is too late.
  bool expose(int socket) {
    const std::lock_guard hold{lock};
    fd = socket;
    return !is_given_up;
  }

  Result<void> connect(amqp_connection_state_t connection, const Endpoint& to, const SetUp& set_up) {
    amqp_set_handshake_timeout(connection, &rpc_patience);
    amqp_set_rpc_timeout(connection, &rpc_patience);
    amqp_socket_t* socket = amqp_tcp_socket_new(connection);
    const auto place = fmt::format("{}:{}", to.host, to.port);
    const int status = amqp_socket_open_noblock(socket, to.host.c_str(), to.port, &connect_patience);
    if (status != AMQP_STATUS_OK) return Error{Code::unavailable, library_text(status), place};
    if (!expose(amqp_get_sockfd(connection))) return Error{Code::unavailable, "given up", place};
    if (talks_to_itself(fd)) return Error{Code::unavailable, "nobody is there", place};
    if (auto done = log_in(connection, to); !done) return done;
    return set_up(connection);
  }

  void run(const Endpoint& to, const SetUp& set_up, const std::function<void()>& finished) {
    amqp_connection_state_t connection = amqp_new_connection();
    auto done = connect(connection, to, set_up);
    expose(-1);
    std::unique_ptr<Link> link;
    if (done) {
      const std::chrono::seconds heartbeat{amqp_get_heartbeat(connection)};
      amqp_tune_connection(connection, amqp_get_channel_max(connection), amqp_get_frame_max(connection), 0);
      link = std::make_unique<Link>(connection, heartbeat, std::chrono::steady_clock::now());
    } else {
      amqp_destroy_connection(connection);
    }
    {
      const std::lock_guard hold{lock};
      if (link) {
        outcome = std::move(link);
      } else {
        outcome = done.error();
      }
      is_finished = true;
      if (!is_given_up) finished();
    }
    changed.notify_all();
  }
};

Dial::Dial(Endpoint endpoint, SetUp set_up, std::function<void()> finished) : shared_(std::make_shared<Shared>()) {
  thread_ = std::thread([shared = shared_, to = std::move(endpoint), set_up = std::move(set_up), finished = std::move(finished)] {
    pthread_setname_np(pthread_self(), "broker-dial");
    shared->run(to, set_up, finished);
  });
}

Dial::~Dial() {
  give_up();
  std::unique_lock hold{shared_->lock};
  const bool is_finished = shared_->changed.wait_for(hold, std::chrono::milliseconds{500}, [this] { return shared_->is_finished; });
  hold.unlock();
  // Still looking up a name or waiting for a connect: it ends by itself and touches nothing but what it shares with us.
  is_finished ? thread_.join() : thread_.detach();
}

void Dial::give_up() {
  const std::lock_guard hold{shared_->lock};
  shared_->is_given_up = true;
  if (shared_->fd >= 0) shutdown(shared_->fd, SHUT_RDWR);
}

bool Dial::is_finished() const {
  const std::lock_guard hold{shared_->lock};
  return shared_->is_finished;
}

Result<std::unique_ptr<Link>> Dial::take() {
  const std::lock_guard hold{shared_->lock};
  return std::move(shared_->outcome);
}

}  // namespace postroom::broker
