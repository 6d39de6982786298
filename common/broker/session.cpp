#include "common/broker/session.hpp"

#include <amqp_framing.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>

#include "common/base/log.hpp"
#include "common/broker/wire.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::broker {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_dial = 8s;
constexpr auto long_enough = 3s;       // a link that held this long starts the back-off anew
constexpr auto longest_goodbye = 1s;
constexpr auto complaint_interval = 60s;
constexpr std::size_t frames_at_once = 4096;

SteadyTime now_steady() { return std::chrono::steady_clock::now(); }

int poll_milliseconds(SteadyTime now, SteadyTime due) {
  if (due == SteadyTime::max()) return -1;
  if (due <= now) return 0;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - now).count();
  return static_cast<int>(std::min<std::int64_t>(wait, 3'600'000));
}

Error closed_by_broker(std::string_view what, int code, const amqp_bytes_t& text) {
  return Error{Code::conflict, fmt::format("{} {}", code, wire::view(text)), std::string{what}};
}

}  // namespace

Session::Session(Endpoint endpoint, LinkUser& user, std::string_view purpose)
    : endpoint_(std::move(endpoint)), user_(user), purpose_(purpose), backoff_(std::random_device{}()) {}

Session::~Session() { stop(); }

void Session::start() {
  // The process's signals are for its owner's thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), purpose_.c_str());
    run();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Session::stop() {
  is_stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void Session::run() {
  while (true) {
    auto now = now_steady();
    if (is_stopping_ && user_.is_finished(now)) break;
    wait(now);
    now = now_steady();
    advance_dial(now);
    auto went = link_ ? serve(now) : user_.work(nullptr, now);
    if (!went) lost(went.error(), now);
  }
  dial_.reset();
  say_goodbye();
  if (link_) user_.closed();
  link_.reset();
}

SteadyTime Session::next_due() const {
  auto due = user_.next_due();
  if (has_more_) return SteadyTime::min();
  if (link_) return std::min(due, link_->next_beat());
  return std::min(due, dial_ ? dial_until_ : dial_at_);
}

void Session::wait(SteadyTime now) {
  std::array<pollfd, 2> watched{pollfd{wakeup_.fd(), POLLIN, 0}, pollfd{-1, 0, 0}};
  if (link_) watched[1] = {link_->fd(), static_cast<short>(POLLIN | (link_->has_unsent() ? POLLOUT : 0)), 0};
  poll(watched.data(), watched.size(), poll_milliseconds(now, next_due()));
  if (watched[0].revents != 0) wakeup_.clear();
  is_readable_ = (watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

// --- connecting ---

void Session::advance_dial(SteadyTime now) {
  if (link_) return;
  if (!dial_) {
    if (now < dial_at_) return;
    dial_until_ = now + longest_dial;
    dial_ = std::make_unique<Dial>(endpoint_, user_.set_up(), [this] { wakeup_.wake(); });
    return;
  }
  if (!dial_->is_finished()) {
    if (now < dial_until_) return;
    dial_->give_up();  // its blocking call ends with an error, which arrives here as the outcome
    dial_until_ = now + longest_dial;
    return;
  }
  auto outcome = dial_->take();
  dial_.reset();
  if (!outcome) {
    say_why(outcome.error(), now);
    dial_at_ = now + backoff_.next();
    return;
  }
  link_ = std::move(*outcome);
  opened_at_ = now;
  has_more_ = true;  // what came during set-up
  log::write(is_flapping_ ? log::Level::debug : log::Level::info, "broker link open", {{"link", purpose_}, {"connection", endpoint_.connection_name}});
  user_.opened(*link_);
}

void Session::lost(const Error& why, SteadyTime now) {
  static auto& losses = metrics::counter("broker_links_lost");
  losses.add();
  is_flapping_ = now - opened_at_ < long_enough;
  if (!is_flapping_) {
    backoff_.reset();
    last_complaint_.clear();
  }
  dial_at_ = now + backoff_.next();
  link_.reset();
  has_more_ = false;
  say_why(why, now);
  user_.closed();
}

// One line for a trouble, and one a minute while it lasts.
void Session::say_why(const Error& why, SteadyTime now) {
  if (is_stopping_ || (why.text() == last_complaint_ && now < complain_again_at_)) return;
  last_complaint_ = why.text();
  complain_again_at_ = now + complaint_interval;
  const bool is_refusal = why.code() == Code::unauthorized || why.code() == Code::conflict;
  log::write(is_refusal ? log::Level::error : log::Level::warning, is_refusal ? "broker refuses" : "broker link down",
             {{"link", purpose_}, {"connection", endpoint_.connection_name}, {"reason", why.text()}});
}

// --- the open link ---

Result<void> Session::serve(SteadyTime now) {
  if (is_readable_) link_->heard(now);
  if (is_readable_ || has_more_) {
    if (auto went = read_frames(); !went) return went;
  }
  if (auto went = user_.work(link_.get(), now); !went) return went;
  if (auto went = link_->flush(now); !went) return went;
  if (!link_->has_unsent()) user_.flushed();
  return link_->beat(now);
}

Result<void> Session::read_frames() {
  std::optional<Error> wrong;
  const auto more = link_->read(frames_at_once, [&](const amqp_frame_t& frame) {
    if (wrong) return;
    if (auto went = dispatch(frame); !went) wrong = went.error();
  });
  if (wrong) return *wrong;
  if (!more) return more.error();
  has_more_ = *more;
  return {};
}

Result<void> Session::dispatch(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return user_.frame(frame);
  const void* decoded = frame.payload.method.decoded;
  switch (frame.payload.method.id) {
    case AMQP_CONNECTION_BLOCKED_METHOD:
      log::warning("broker blocks publishers",
                   {{"link", purpose_}, {"reason", std::string{wire::view(static_cast<const amqp_connection_blocked_t*>(decoded)->reason)}}});
      user_.blocked(true);
      return {};
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      log::info("broker takes messages again", {{"link", purpose_}});
      user_.blocked(false);
      return {};
    case AMQP_CONNECTION_CLOSE_OK_METHOD: is_closed_ = true; return {};
    case AMQP_CONNECTION_CLOSE_METHOD: {
      const auto* close = static_cast<const amqp_connection_close_t*>(decoded);
      amqp_connection_close_ok_t ok{};
      wire::append_method(link_->out(), 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
      [[maybe_unused]] const auto polite = link_->flush(now_steady());
      // A broker that is being stopped says so (320); that is no refusal.
      if (close->reply_code == AMQP_CONNECTION_FORCED) return Error{Code::unavailable, std::string{wire::view(close->reply_text)}, "broker"};
      return closed_by_broker("connection", close->reply_code, close->reply_text);
    }
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto* close = static_cast<const amqp_channel_close_t*>(decoded);
      return closed_by_broker("channel", close->reply_code, close->reply_text);
    }
    default: return user_.frame(frame);
  }
}

// Everything that was written must arrive: a socket closed with unread input would be reset and may lose it. So close is said, and everything
// read until the broker agrees.
void Session::say_goodbye() {
  if (!link_) return;
  amqp_connection_close_t close{};
  close.reply_code = AMQP_REPLY_SUCCESS;
  close.reply_text = amqp_cstring_bytes("bye");
  wire::append_method(link_->out(), 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
  const auto until = now_steady() + longest_goodbye;
  for (auto now = now_steady(); now < until && !is_closed_; now = now_steady()) {
    if (!link_->flush(now)) return;
    pollfd watched{link_->fd(), static_cast<short>(POLLIN | (link_->has_unsent() ? POLLOUT : 0)), 0};
    poll(&watched, 1, poll_milliseconds(now, until));
    const auto more = link_->read(frames_at_once, [&](const amqp_frame_t& frame) {
      if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD) is_closed_ = true;
    });
    if (!more) return;
  }
}

}  // namespace postroom::broker
