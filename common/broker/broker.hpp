#pragma once
// Ports to the broker: Publisher and Consumer, each on its own connection and its own thread, so that a blocked publisher never stops consuming.
// No AMQP type shows here. All callbacks run on the owner's thread, through the executor that the owner hands in (Loop::post, asio::post).
// From stop() on, or the destructor, handlers of states and deliveries are not called any more; a publisher's answers still come.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/messages/envelope.hpp"

namespace postroom::broker {

using Executor = std::function<void(std::function<void()>)>;  // runs the function on the owner's thread, in order

struct Endpoint {
  std::string host;
  std::uint16_t port = 5672;
  std::string vhost;
  std::string user;
  std::string password;
  std::string connection_name;  // shown by the broker's tools: "jira-4711 publish"
  std::chrono::milliseconds heartbeat{10'000};
};

enum class LinkState { connecting, open, blocked };  // blocked: the broker refuses publishes (memory or disk alarm)

// --- publishing ---

struct Outgoing {
  std::string exchange;
  std::string routing_key;
  messages::Envelope envelope;  // user_id is filled in by the publisher
  std::string body;
  bool must_arrive = true;  // mandatory, persistent, confirmed, repeated over reconnects; else one transient try without a callback
};

enum class Published {
  confirmed,    // every queue that it was routed to has it
  returned,     // no queue for that key
  rejected,     // a queue refused it (full)
  not_sent,     // given up before a byte was written: it will not happen
  unknown,      // given up after it was written: it may happen
};

using PublishId = std::uint64_t;

class Publisher {
 public:
  virtual ~Publisher() = default;

  // Thread: the owner's. `done` is called exactly once, on the owner's thread. A must_arrive message is kept and published again after a
  // reconnect (same message id; receivers dedupe) until confirmed, returned, rejected, or `deadline` passes; no deadline = until stop().
  virtual PublishId submit(Outgoing message, std::function<void(Published)> done, SteadyTime deadline = SteadyTime::max()) = 0;

  virtual LinkState state() const = 0;                                        // any thread
  virtual void on_state(std::function<void(LinkState)> changed) = 0;          // before start()
  virtual std::size_t unconfirmed() const = 0;                                // any thread; messages accepted and not yet answered
  virtual void start() = 0;
  virtual void stop(std::chrono::milliseconds flush) = 0;  // waits up to `flush` for confirms, then joins its thread
};

std::unique_ptr<Publisher> make_publisher(Endpoint endpoint, Executor owner);

// --- consuming ---

struct Delivery {
  std::uint64_t link = 0;  // number of the connection that brought it; settling over another one is a no-op
  std::uint64_t tag = 0;
  std::string queue;
  std::string exchange;
  std::string routing_key;
  bool redelivered = false;
  messages::Envelope envelope;
  std::string headers_json;  // all AMQP headers as JSON, for the standby shelf (x-death and its reasons among them)
  std::string body;
};

struct Subscription {
  std::string queue;
  std::uint16_t prefetch = 1;
  bool is_later = false;  // consumed from widen() on; another subscription of the same queue adds up with it
};

// An own exclusive, classic, bounded, drop-head queue, declared at every connect.
struct OwnQueue {
  std::string name;
  std::string exchange;
  std::vector<std::string> keys;
  std::int64_t max_length = 10'000;
};

class Consumer {
 public:
  virtual ~Consumer() = default;

  // All before start().
  virtual void subscribe(Subscription subscription) = 0;
  virtual void own(OwnQueue queue) = 0;  // consumed without acknowledgement
  // A burst of what arrived together, in order of arrival.
  virtual void on_deliveries(std::function<void(std::vector<Delivery>)> handler) = 0;
  // open: all subscriptions are consumed again. After every other state, deliveries of the older link will come again.
  virtual void on_state(std::function<void(LinkState)> changed) = 0;

  virtual void start() = 0;
  virtual void ack(const Delivery& delivery) = 0;       // thread: the owner's
  virtual void ack_all(const std::vector<Delivery>& deliveries) = 0;
  virtual void reject(const Delivery& delivery, bool requeue) = 0;
  virtual void quiet() = 0;    // basic.cancel of the subscriptions: nothing new comes; what is held may still be acked
  virtual void resume() = 0;
  virtual void widen() {}      // the later subscriptions too, from here on; again: nothing
  virtual LinkState state() const = 0;  // any thread
  virtual std::size_t consuming() const = 0;  // any thread; subscriptions that the broker confirmed and has not cancelled
  virtual void stop() = 0;     // flushes acks, closes, joins; unsettled deliveries return to the broker
};

std::unique_ptr<Consumer> make_consumer(Endpoint endpoint, Executor owner);

}  // namespace postroom::broker
