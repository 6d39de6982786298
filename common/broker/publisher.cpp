#include <amqp.h>
#include <fmt/format.h>

#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <set>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/broker/broker.hpp"
#include "common/broker/confirms.hpp"
#include "common/broker/properties.hpp"
#include "common/broker/session.hpp"
#include "common/broker/wire.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::broker {

namespace {

constexpr std::uint16_t channel = 1;
constexpr std::size_t most_droppable_bytes = 4 << 20;  // may-drop messages that wait for the window; more are dropped
constexpr std::size_t envelope_bytes = 512;            // of a message on the wire, beside its body; a guess on the safe side

struct Message {
  PublishId id = 0;
  Outgoing out;
  std::function<void(Published)> done;
  SteadyTime deadline = SteadyTime::max();
  SteadyTime written_at{};
  bool was_written = false;  // in any attempt: from then on it may happen
  bool was_returned = false;
  bool is_answered = false;

  std::size_t bytes() const { return out.body.size() + envelope_bytes; }
};
using MessagePtr = std::shared_ptr<Message>;

metrics::Counter& counter_of(Published result) {
  static const std::array counters{
      &metrics::counter("broker_published", {{"result", "confirmed"}}), &metrics::counter("broker_published", {{"result", "returned"}}),
      &metrics::counter("broker_published", {{"result", "rejected"}}), &metrics::counter("broker_published", {{"result", "not_sent"}}),
      &metrics::counter("broker_published", {{"result", "unknown"}})};
  return *counters[static_cast<std::size_t>(result)];
}

class RabbitPublisher final : public Publisher, private LinkUser {
 public:
  RabbitPublisher(Endpoint endpoint, Executor owner)
      : user_(endpoint.user), owner_(std::move(owner)), session_(std::move(endpoint), *this, "publish") {}
  ~RabbitPublisher() override { stop(std::chrono::milliseconds{0}); }

  PublishId submit(Outgoing message, std::function<void(Published)> done, SteadyTime deadline) override;
  LinkState state() const override { return state_; }
  void on_state(std::function<void(LinkState)> changed) override { on_state_ = std::move(changed); }
  std::size_t unconfirmed() const override { return unconfirmed_; }
  void start() override { session_.start(); }
  void stop(std::chrono::milliseconds flush) override;

 private:
  // LinkUser, on the I/O thread
  SetUp set_up() override;
  void opened(Link& link) override;
  void closed() override;
  Result<void> frame(const amqp_frame_t& frame) override;
  void blocked(bool is_blocked) override { set_state(is_blocked ? LinkState::blocked : LinkState::open); }
  Result<void> work(Link* link, SteadyTime now) override;
  void flushed() override;
  SteadyTime next_due() const override;
  bool is_finished(SteadyTime now) const override;

  void take_inbox(bool is_open);
  void expire(SteadyTime now);
  void write_waiting(Link& link, SteadyTime now);
  bool write_one(Link& link, const MessagePtr& message, SteadyTime now);
  Result<void> returned_frame(const amqp_frame_t& frame);
  void confirm(std::uint64_t tag, bool multiple, bool is_ack);
  void answer(const MessagePtr& message, Published result);
  void tell_owner();
  void set_state(LinkState state);
  void answer_rest();

  const std::string user_;
  const Executor owner_;
  std::function<void(LinkState)> on_state_;
  std::atomic<LinkState> state_{LinkState::connecting};
  std::atomic<std::size_t> unconfirmed_{0};
  const std::shared_ptr<std::atomic<bool>> is_live_ = std::make_shared<std::atomic<bool>>(true);  // until stop(): tell the owner of the state
  std::atomic<SteadyTime::rep> stop_at_{std::numeric_limits<SteadyTime::rep>::max()};

  mutable std::mutex inbox_lock_;
  std::vector<MessagePtr> inbox_;
  PublishId last_id_ = 0;
  bool is_stopped_ = false;  // by the owner's thread, which also submits

  // The I/O thread's own.
  std::deque<MessagePtr> waiting_;
  std::size_t droppable_bytes_ = 0;  // of may-drop messages in waiting_
  std::size_t answered_waiting_ = 0;  // answered by their deadline, still in waiting_
  Confirms<MessagePtr> confirms_;
  std::set<std::pair<SteadyTime, MessagePtr>> deadlines_;
  std::vector<std::pair<std::function<void(Published)>, Published>> answers_;
  bool is_returning_ = false;  // between basic.return's method and the end of its body
  std::uint64_t return_body_left_ = 0;
  std::pair<std::string, std::string> return_way_;  // exchange and key
  bool has_written_ = false;

  Session session_;  // last: its thread uses everything above
};

// --- the owner's side ---

PublishId RabbitPublisher::submit(Outgoing out, std::function<void(Published)> done, SteadyTime deadline) {
  auto message = std::make_shared<Message>();
  message->out = std::move(out);
  message->done = std::move(done);
  message->deadline = deadline;
  message->id = ++last_id_;
  bool is_first = false;
  {
    const std::lock_guard hold{inbox_lock_};
    if (!is_stopped_) {
      if (message->out.must_arrive) ++unconfirmed_;
      is_first = inbox_.empty();
      inbox_.push_back(message);
    }
  }
  if (is_first) session_.wake();
  if (is_stopped_ && message->out.must_arrive && message->done) {
    owner_([done = std::move(message->done)] { done(Published::not_sent); });
  }
  return message->id;
}

void RabbitPublisher::stop(std::chrono::milliseconds flush) {
  *is_live_ = false;
  stop_at_ = (std::chrono::steady_clock::now() + flush).time_since_epoch().count();
  session_.stop();
  answer_rest();
}

bool RabbitPublisher::is_finished(SteadyTime now) const {
  if (now.time_since_epoch().count() >= stop_at_) return true;
  const std::lock_guard hold{inbox_lock_};
  return unconfirmed_ == 0 && inbox_.empty() && waiting_.empty();
}

// After the thread has ended: whatever is left will not be confirmed to us any more.
void RabbitPublisher::answer_rest() {
  {
    const std::lock_guard hold{inbox_lock_};
    is_stopped_ = true;
  }
  take_inbox(true);
  for (auto& message : confirms_.take_all()) waiting_.push_back(std::move(message));
  for (const auto& message : waiting_) {
    if (message->out.must_arrive && !message->is_answered) answer(message, message->was_written ? Published::unknown : Published::not_sent);
  }
  waiting_.clear();
  deadlines_.clear();
  tell_owner();
}

// --- the link comes and goes ---

SetUp RabbitPublisher::set_up() {
  return [](amqp_connection_state_t connection) -> Result<void> {
    amqp_channel_open(connection, channel);
    if (auto done = succeeded(amqp_get_rpc_reply(connection), "open a channel"); !done) return done;
    amqp_confirm_select(connection, channel);
    return succeeded(amqp_get_rpc_reply(connection), "ask for confirms");
  };
}

void RabbitPublisher::opened(Link&) { set_state(LinkState::open); }

// What was in flight is wanted still: it goes first, in its order, with the same message id.
void RabbitPublisher::closed() {
  auto in_flight = confirms_.take_all();
  for (auto message = in_flight.rbegin(); message != in_flight.rend(); ++message) {
    if (!(*message)->out.must_arrive || (*message)->is_answered) continue;
    if ((*message)->was_returned) {
      answer(*message, Published::returned);
    } else {
      waiting_.push_front(std::move(*message));
    }
  }
  std::erase_if(waiting_, [](const MessagePtr& message) { return !message->out.must_arrive; });
  droppable_bytes_ = 0;
  is_returning_ = false;
  return_body_left_ = 0;
  set_state(LinkState::connecting);
  tell_owner();
}

void RabbitPublisher::set_state(LinkState state) {
  if (state_.exchange(state) == state || !on_state_) return;
  owner_([is_live = is_live_, changed = on_state_, state] {
    if (*is_live) changed(state);
  });
}

// --- work ---

Result<void> RabbitPublisher::work(Link* link, SteadyTime now) {
  take_inbox(link != nullptr);
  expire(now);
  if (link != nullptr && state_ == LinkState::open) write_waiting(*link, now);
  tell_owner();
  return {};
}

void RabbitPublisher::take_inbox(bool is_open) {
  std::vector<MessagePtr> arrived;
  {
    const std::lock_guard hold{inbox_lock_};
    arrived.swap(inbox_);
  }
  static auto& dropped = metrics::counter("broker_dropped");
  for (auto& message : arrived) {
    if (!message->out.must_arrive) {
      if (!is_open || droppable_bytes_ > most_droppable_bytes) {
        dropped.add();
        continue;
      }
      droppable_bytes_ += message->bytes();
    } else if (message->deadline != SteadyTime::max()) {
      deadlines_.emplace(message->deadline, message);
    }
    waiting_.push_back(std::move(message));
  }
}

void RabbitPublisher::expire(SteadyTime now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto message = deadlines_.begin()->second;
    ++answered_waiting_;  // or in flight: then the count is too high, which only makes the sweep below early
    answer(message, message->was_written ? Published::unknown : Published::not_sent);
  }
  if (answered_waiting_ > 1000 && answered_waiting_ > waiting_.size() / 2) {
    std::erase_if(waiting_, [](const MessagePtr& message) { return message->is_answered; });
    answered_waiting_ = 0;
  }
}

SteadyTime RabbitPublisher::next_due() const {
  auto due = SteadyTime::max();
  if (const auto stop_at = stop_at_.load(); stop_at != std::numeric_limits<SteadyTime::rep>::max()) {
    due = SteadyTime{SteadyTime::duration{stop_at}};
  }
  return deadlines_.empty() ? due : std::min(due, deadlines_.begin()->first);
}

// Everything that was readable has been read before; confirms have made room in the window.
void RabbitPublisher::write_waiting(Link& link, SteadyTime now) {
  bool is_first = true;
  while (!waiting_.empty()) {
    const auto message = waiting_.front();
    if (!message->is_answered) {
      if (!confirms_.empty() && confirms_.bytes() + message->bytes() > link.window()) return;
      if (is_first) crash_point("publisher_before_write");
      is_first = false;
      if (!write_one(link, message, now)) {
        log::error("message cannot be encoded", {{"message_id", message->out.envelope.message_id}, {"type", message->out.envelope.type}});
        if (message->out.must_arrive) answer(message, Published::not_sent);
      }
    }
    if (!message->out.must_arrive) droppable_bytes_ -= message->bytes();
    waiting_.pop_front();
  }
}

bool RabbitPublisher::write_one(Link& link, const MessagePtr& message, SteadyTime now) {
  const auto& out = message->out;
  const WireProperties properties{out.envelope, user_, out.must_arrive};
  if (!wire::append_publish(link.out(), channel, out.exchange, out.routing_key, out.must_arrive, properties.get(), out.body, link.frame_max())) {
    return false;
  }
  message->was_written = true;
  message->written_at = now;
  confirms_.written(message, message->bytes());
  has_written_ = true;
  return true;
}

void RabbitPublisher::flushed() {
  if (has_written_) crash_point("publisher_after_write");
  has_written_ = false;
}

// --- what the broker says ---

Result<void> RabbitPublisher::frame(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return returned_frame(frame);
  const void* decoded = frame.payload.method.decoded;
  switch (frame.payload.method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto* ack = static_cast<const amqp_basic_ack_t*>(decoded);
      confirm(ack->delivery_tag, ack->multiple != 0, true);
      return {};
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto* nack = static_cast<const amqp_basic_nack_t*>(decoded);
      confirm(nack->delivery_tag, nack->multiple != 0, false);
      return {};
    }
    case AMQP_BASIC_RETURN_METHOD: {
      const auto* back = static_cast<const amqp_basic_return_t*>(decoded);
      return_way_ = {std::string{wire::view(back->exchange)}, std::string{wire::view(back->routing_key)}};
      is_returning_ = true;
      return {};
    }
    default: return {};  // nothing that we asked for
  }
}

// basic.return carries the message back, without its tag; its confirm follows. The body is of no use to us.
Result<void> RabbitPublisher::returned_frame(const amqp_frame_t& frame) {
  if (frame.frame_type == AMQP_FRAME_BODY && return_body_left_ > 0) {
    return_body_left_ -= std::min<std::uint64_t>(return_body_left_, frame.payload.body_fragment.len);
    return {};
  }
  if (frame.frame_type != AMQP_FRAME_HEADER || !is_returning_) return Error{Code::unavailable, "a frame out of turn", "read"};
  is_returning_ = false;
  return_body_left_ = frame.payload.properties.body_size;
  const auto envelope = envelope_of(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded));
  auto* message = confirms_.find([&](const MessagePtr& one) {
    return !one->was_returned && one->out.must_arrive && one->out.envelope.message_id == envelope.message_id &&
           one->out.exchange == return_way_.first && one->out.routing_key == return_way_.second;
  });
  if (message != nullptr) (*message)->was_returned = true;
  return {};
}

void RabbitPublisher::confirm(std::uint64_t tag, bool multiple, bool is_ack) {
  static auto& took = metrics::histogram("broker_confirm_seconds");
  const auto now = std::chrono::steady_clock::now();
  confirms_.settle(tag, multiple, [&](const MessagePtr& message) {
    took.observe(std::chrono::duration<double>(now - message->written_at).count());
    if (!message->out.must_arrive || message->is_answered) return;
    crash_point("publisher_after_confirm");
    answer(message, !is_ack ? Published::rejected : message->was_returned ? Published::returned : Published::confirmed);
  });
}

// --- answers, one call of the owner's executor for a burst ---

void RabbitPublisher::answer(const MessagePtr& message, Published result) {
  message->is_answered = true;
  if (message->deadline != SteadyTime::max()) deadlines_.erase({message->deadline, message});
  counter_of(result).add();
  answers_.emplace_back(std::move(message->done), result);
  // Freed now: an answered message may wait long for its confirm, or for a broker that is away.
  message->out.body = {};
}

void RabbitPublisher::tell_owner() {
  if (answers_.empty()) return;
  unconfirmed_ -= answers_.size();
  owner_([answers = std::move(answers_)] {
    for (const auto& [done, result] : answers) {
      if (done) done(result);
    }
  });
  answers_.clear();
}

}  // namespace

std::unique_ptr<Publisher> make_publisher(Endpoint endpoint, Executor owner) {
  return std::make_unique<RabbitPublisher>(std::move(endpoint), std::move(owner));
}

}  // namespace postroom::broker
