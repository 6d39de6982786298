#include <amqp.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/broker/broker.hpp"
#include "common/broker/properties.hpp"
#include "common/broker/session.hpp"
#include "common/broker/settlements.hpp"
#include "common/broker/wire.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::broker {

namespace {

constexpr std::uint16_t shared_channel = 1;  // subscriptions, acknowledged
constexpr std::uint16_t own_channel = 2;     // own queues, not acknowledged
constexpr std::uint64_t largest_body = 16 << 20;

// One delivery being put together from its method, header and body frames.
struct Assembly {
  std::optional<Delivery> delivery;
  bool has_header = false;
  std::uint64_t body_left = 0;
};

// A subscription on the open link. Its consumer's tag is "<queue>#<number>", a new number each time: RabbitMQ 3.10.8 ends the connection (541)
// when a tag is used again while messages of its former consumer are under way (rabbitmq-server#5927).
struct Consuming {
  enum class Step { off, starting, on, stopping };
  Subscription subscription;
  Step step = Step::off;
  bool is_dialled = false;  // part of the set-up of the link that is being made
  std::string tag;
};

std::string_view queue_of_tag(std::string_view tag) { return tag.substr(0, tag.rfind('#')); }

amqp_basic_qos_t qos_of(const Subscription& subscription) {
  amqp_basic_qos_t qos{};
  qos.prefetch_count = subscription.prefetch;
  return qos;
}

amqp_basic_consume_t consume_of(const Consuming& one) {
  amqp_basic_consume_t consume{};
  consume.queue = wire::bytes(one.subscription.queue);
  consume.consumer_tag = wire::bytes(one.tag);
  return consume;
}

Result<void> open_channel(amqp_connection_state_t connection, std::uint16_t channel) {
  amqp_channel_open(connection, channel);
  return succeeded(amqp_get_rpc_reply(connection), "open a channel");
}

Result<void> consume_shared(amqp_connection_state_t connection, const Consuming& one) {
  amqp_basic_qos(connection, shared_channel, 0, one.subscription.prefetch, 0);
  if (auto done = succeeded(amqp_get_rpc_reply(connection), "set the prefetch"); !done) return done;
  amqp_basic_consume(connection, shared_channel, wire::bytes(one.subscription.queue), wire::bytes(one.tag), 0, 0, 0, amqp_empty_table);
  return succeeded(amqp_get_rpc_reply(connection), fmt::format("consume {}", one.subscription.queue));
}

// Exclusive: it goes with the connection. Bounded and drop-head: a slow instance loses its oldest answers, not the broker's memory.
Result<void> declare_own(amqp_connection_state_t connection, const OwnQueue& own) {
  std::array<amqp_table_entry_t, 2> entries{};
  entries[0].key = amqp_cstring_bytes("x-max-length");
  entries[0].value.kind = AMQP_FIELD_KIND_I64;
  entries[0].value.value.i64 = own.max_length;
  entries[1].key = amqp_cstring_bytes("x-overflow");
  entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
  entries[1].value.value.bytes = amqp_cstring_bytes("drop-head");
  const auto name = wire::bytes(own.name);
  amqp_queue_declare(connection, own_channel, name, 0, 0, 1, 1, {static_cast<int>(entries.size()), entries.data()});
  if (auto done = succeeded(amqp_get_rpc_reply(connection), fmt::format("declare {}", own.name)); !done) return done;
  for (const auto& key : own.keys) {
    amqp_queue_bind(connection, own_channel, name, wire::bytes(own.exchange), wire::bytes(key), amqp_empty_table);
    if (auto done = succeeded(amqp_get_rpc_reply(connection), fmt::format("bind {} to {}", own.name, own.exchange)); !done) return done;
  }
  amqp_basic_consume(connection, own_channel, name, name, 0, 1, 1, amqp_empty_table);
  return succeeded(amqp_get_rpc_reply(connection), fmt::format("consume {}", own.name));
}

class RabbitConsumer final : public Consumer, private LinkUser {
 public:
  RabbitConsumer(Endpoint endpoint, Executor owner) : owner_(std::move(owner)), session_(std::move(endpoint), *this, "consume") {}
  ~RabbitConsumer() override { stop(); }

  void subscribe(Subscription subscription) override { consuming_.push_back({std::move(subscription)}); }
  void own(OwnQueue queue) override { own_queues_.push_back(std::move(queue)); }
  void on_deliveries(std::function<void(std::vector<Delivery>)> handler) override;
  void on_state(std::function<void(LinkState)> changed) override { on_state_ = std::move(changed); }
  void start() override { session_.start(); }
  void ack(const Delivery& delivery) override { settle({&delivery, 1}, Settlement::Kind::ack); }
  void ack_all(const std::vector<Delivery>& deliveries) override { settle(deliveries, Settlement::Kind::ack); }
  void reject(const Delivery& delivery, bool requeue) override {
    settle({&delivery, 1}, requeue ? Settlement::Kind::requeue : Settlement::Kind::reject);
  }
  void quiet() override { want(false); }
  void resume() override { want(true); }
  void widen() override {
    if (!is_wide_.exchange(true)) session_.wake();
  }
  LinkState state() const override { return state_; }
  std::size_t consuming() const override { return consuming_count_; }
  void stop() override {
    *is_live_ = false;
    session_.stop();
  }

 private:
  // What the owner said about a delivery.
  struct Word {
    std::uint64_t link;
    Settlement settlement;
  };

  void settle(std::span<const Delivery> deliveries, Settlement::Kind kind);
  void want(bool is_wanted);

  // LinkUser, on the I/O thread
  SetUp set_up() override;
  void opened(Link& link) override;
  void closed() override;
  Result<void> frame(const amqp_frame_t& frame) override;
  void blocked(bool) override {}  // of no interest to one who only reads
  Result<void> work(Link* link, SteadyTime now) override;
  void flushed() override;
  SteadyTime next_due() const override { return SteadyTime::max(); }
  bool is_finished(SteadyTime) const override;

  Result<void> method(const amqp_frame_t& frame);
  Result<void> part(const amqp_frame_t& frame);
  void complete(Assembly& assembly);
  void reconcile(Link& link);
  void tell_broker(Link& link);
  void tell_owner();
  void update_state();
  Consuming* find(std::string_view tag);
  std::string next_tag(const Consuming& one) { return fmt::format("{}#{}", one.subscription.queue, ++last_number_); }
  bool is_needed(const Consuming& one) const { return is_wanted_ && (!one.subscription.is_later || is_wide_); }
  bool is_shared(std::uint16_t channel) const { return channel == shared_channel; }

  const Executor owner_;
  std::shared_ptr<const std::function<void(std::vector<Delivery>)>> handler_;
  std::function<void(LinkState)> on_state_;
  std::vector<OwnQueue> own_queues_;
  std::atomic<LinkState> state_{LinkState::connecting};
  std::atomic<std::size_t> consuming_count_{0};
  std::atomic<bool> is_wanted_{true};  // not quiet
  std::atomic<bool> is_wide_{false};
  const std::shared_ptr<std::atomic<bool>> is_live_ = std::make_shared<std::atomic<bool>>(true);  // until stop(): call the owner's handlers

  mutable std::mutex words_lock_;
  std::vector<Word> words_;

  // The I/O thread's own.
  std::vector<Consuming> consuming_;
  bool is_open_ = false;
  std::uint64_t link_number_ = 0;
  std::uint64_t last_number_ = 0;  // of a consumer's tag
  Settlements settlements_;
  std::array<Assembly, 2> assemblies_;
  bool has_settled_ = false;  // since the last flush
  std::vector<Delivery> burst_;

  Session session_;  // last: its thread uses everything above
};

// --- the owner's side ---

void RabbitConsumer::on_deliveries(std::function<void(std::vector<Delivery>)> handler) {
  handler_ = std::make_shared<const std::function<void(std::vector<Delivery>)>>(std::move(handler));
}

void RabbitConsumer::settle(std::span<const Delivery> deliveries, Settlement::Kind kind) {
  if (deliveries.empty()) return;
  bool is_first = false;
  {
    const std::lock_guard hold{words_lock_};
    is_first = words_.empty();
    for (const auto& delivery : deliveries) {
      if (delivery.tag != 0) words_.push_back({delivery.link, {kind, delivery.tag}});
    }
  }
  if (is_first) session_.wake();
}

void RabbitConsumer::want(bool is_wanted) {
  if (is_wanted_.exchange(is_wanted) != is_wanted) session_.wake();
}

// --- the link comes and goes ---

SetUp RabbitConsumer::set_up() {
  std::vector<Consuming> needed;
  for (auto& one : consuming_) {
    one.tag = next_tag(one);
    one.is_dialled = is_needed(one);
    if (one.is_dialled) needed.push_back(one);
  }
  return [needed = std::move(needed), own_queues = own_queues_](amqp_connection_state_t connection) -> Result<void> {
    // Own queues first: whoever gets work must be able to get answers.
    if (!own_queues.empty()) {
      if (auto done = open_channel(connection, own_channel); !done) return done;
    }
    for (const auto& own : own_queues) {
      if (auto done = declare_own(connection, own); !done) return done;
    }
    if (auto done = open_channel(connection, shared_channel); !done) return done;
    for (const auto& one : needed) {
      if (auto done = consume_shared(connection, one); !done) return done;
    }
    return {};
  };
}

void RabbitConsumer::opened(Link&) {
  ++link_number_;
  is_open_ = true;
  for (auto& one : consuming_) one.step = one.is_dialled ? Consuming::Step::on : Consuming::Step::off;
  update_state();
}

void RabbitConsumer::closed() {
  is_open_ = false;
  for (auto& one : consuming_) one.step = Consuming::Step::off;
  settlements_.reset();
  assemblies_ = {};
  tell_owner();  // complete messages of a dead link are as good as any: the receiver dedupes, and its acks are no-ops
  update_state();
}

// Open: what should be consumed is. One that is stopping still counts as consuming, until the broker says that it has stopped.
void RabbitConsumer::update_state() {
  const auto count = [this](Consuming::Step step) { return static_cast<std::size_t>(std::ranges::count(consuming_, step, &Consuming::step)); };
  consuming_count_ = count(Consuming::Step::on) + count(Consuming::Step::stopping);
  const bool is_missing = std::ranges::any_of(consuming_, [this](const Consuming& one) { return is_needed(one) && one.step != Consuming::Step::on; });
  const auto state = is_open_ && !is_missing ? LinkState::open : LinkState::connecting;
  if (state_.exchange(state) == state || !on_state_) return;
  owner_([is_live = is_live_, changed = on_state_, state] {
    if (*is_live) changed(state);
  });
}

// --- work ---

// What the owner has settled is still to be said.
bool RabbitConsumer::is_finished(SteadyTime) const {
  const std::lock_guard hold{words_lock_};
  return words_.empty() || !is_open_;
}

Result<void> RabbitConsumer::work(Link* link, SteadyTime) {
  tell_owner();
  if (link == nullptr) {
    const std::lock_guard hold{words_lock_};
    words_.clear();  // about links that are gone
    return {};
  }
  reconcile(*link);
  tell_broker(*link);
  return {};
}

// Towards what is wanted, one step at a time: a subscription that is starting or stopping is left alone until the broker has answered.
void RabbitConsumer::reconcile(Link& link) {
  for (auto& one : consuming_) {
    if (is_needed(one) && one.step == Consuming::Step::off) {
      auto qos = qos_of(one.subscription);
      wire::append_method(link.out(), shared_channel, AMQP_BASIC_QOS_METHOD, &qos);
      one.tag = next_tag(one);
      auto consume = consume_of(one);
      wire::append_method(link.out(), shared_channel, AMQP_BASIC_CONSUME_METHOD, &consume);
      one.step = Consuming::Step::starting;
    } else if (!is_needed(one) && one.step == Consuming::Step::on) {
      amqp_basic_cancel_t cancel{};
      cancel.consumer_tag = wire::bytes(one.tag);
      wire::append_method(link.out(), shared_channel, AMQP_BASIC_CANCEL_METHOD, &cancel);
      one.step = Consuming::Step::stopping;
    }
  }
  update_state();
}

void RabbitConsumer::tell_broker(Link& link) {
  std::vector<Word> words;
  {
    const std::lock_guard hold{words_lock_};
    words.swap(words_);
  }
  for (const auto& [number, settlement] : words) {
    if (number != link_number_) continue;  // the broker has taken that delivery back already
    if (settlement.kind == Settlement::Kind::ack) {
      settlements_.ack(settlement.tag);
    } else {
      settlements_.reject(settlement.tag, settlement.kind == Settlement::Kind::requeue);
    }
  }
  const auto out = settlements_.take();
  if (out.empty()) return;
  crash_point("consumer_before_ack");
  for (const auto& settlement : out) wire::append_settlement(link.out(), shared_channel, settlement);
  has_settled_ = true;
}

void RabbitConsumer::flushed() {
  if (has_settled_) crash_point("consumer_after_ack");
  has_settled_ = false;
}

void RabbitConsumer::tell_owner() {
  if (burst_.empty()) return;
  static auto& delivered = metrics::counter("broker_delivered");
  delivered.add(burst_.size());
  if (!handler_) return burst_.clear();
  crash_point("consumer_after_read");
  auto burst = std::make_shared<std::vector<Delivery>>(std::move(burst_));
  burst_.clear();
  owner_([is_live = is_live_, handler = handler_, burst = std::move(burst)] {
    if (*is_live) (*handler)(std::move(*burst));
  });
}

// --- what the broker says ---

Consuming* RabbitConsumer::find(std::string_view tag) {
  for (auto& one : consuming_) {
    if (one.tag == tag) return &one;
  }
  return nullptr;
}

Result<void> RabbitConsumer::frame(const amqp_frame_t& frame) {
  if (frame.channel != shared_channel && frame.channel != own_channel) return {};
  return frame.frame_type == AMQP_FRAME_METHOD ? method(frame) : part(frame);
}

Result<void> RabbitConsumer::method(const amqp_frame_t& frame) {
  const void* decoded = frame.payload.method.decoded;
  const auto arrive_at = [&](Consuming::Step step, const amqp_bytes_t& tag) {
    if (auto* one = find(wire::view(tag))) one->step = step;
    update_state();
  };
  switch (frame.payload.method.id) {
    case AMQP_BASIC_DELIVER_METHOD: {
      const auto* deliver = static_cast<const amqp_basic_deliver_t*>(decoded);
      auto& delivery = assemblies_[is_shared(frame.channel) ? 0 : 1].delivery.emplace();
      delivery.link = link_number_;
      delivery.tag = is_shared(frame.channel) ? deliver->delivery_tag : 0;  // 0: nothing to settle
      delivery.queue = queue_of_tag(wire::view(deliver->consumer_tag));
      delivery.exchange = wire::view(deliver->exchange);
      delivery.routing_key = wire::view(deliver->routing_key);
      delivery.redelivered = deliver->redelivered != 0;
      return {};
    }
    case AMQP_BASIC_CONSUME_OK_METHOD:
      arrive_at(Consuming::Step::on, static_cast<const amqp_basic_consume_ok_t*>(decoded)->consumer_tag);
      return {};
    case AMQP_BASIC_CANCEL_OK_METHOD:
      arrive_at(Consuming::Step::off, static_cast<const amqp_basic_cancel_ok_t*>(decoded)->consumer_tag);
      return {};
    case AMQP_BASIC_CANCEL_METHOD:
      // The queue was deleted, or lost its leader. A fresh link finds out which, and gives back what we hold.
      return Error{Code::unavailable, fmt::format("stopped delivering {}", queue_of_tag(wire::view(static_cast<const amqp_basic_cancel_t*>(decoded)->consumer_tag))),
                   "broker"};
    default: return {};
  }
}

Result<void> RabbitConsumer::part(const amqp_frame_t& frame) {
  auto& assembly = assemblies_[is_shared(frame.channel) ? 0 : 1];
  if (!assembly.delivery) return Error{Code::unavailable, "a frame out of turn", "read"};
  if (frame.frame_type == AMQP_FRAME_HEADER && !assembly.has_header) {
    const auto& properties = *static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
    assembly.has_header = true;
    assembly.body_left = frame.payload.properties.body_size;
    if (assembly.body_left > largest_body) return Error{Code::conflict, fmt::format("a body of {} bytes", assembly.body_left), "read"};
    assembly.delivery->envelope = envelope_of(properties);
    assembly.delivery->headers_json = headers_json(properties);
    assembly.delivery->body.reserve(static_cast<std::size_t>(assembly.body_left));
  } else if (frame.frame_type == AMQP_FRAME_BODY && assembly.has_header && frame.payload.body_fragment.len <= assembly.body_left) {
    assembly.delivery->body += wire::view(frame.payload.body_fragment);
    assembly.body_left -= frame.payload.body_fragment.len;
  } else {
    return Error{Code::unavailable, "a frame out of turn", "read"};
  }
  if (assembly.body_left == 0) complete(assembly);
  return {};
}

void RabbitConsumer::complete(Assembly& assembly) {
  if (assembly.delivery->tag != 0) settlements_.delivered(assembly.delivery->tag);
  burst_.push_back(std::move(*assembly.delivery));
  assembly = {};
}

}  // namespace

std::unique_ptr<Consumer> make_consumer(Endpoint endpoint, Executor owner) {
  return std::make_unique<RabbitConsumer>(std::move(endpoint), std::move(owner));
}

}  // namespace postroom::broker
