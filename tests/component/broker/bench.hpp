#pragma once
// What the broker's component tests share: an owner whose thread is the test's, and a counted, named message.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/broker/broker.hpp"
#include "common/broker/topology.hpp"
#include "tests/support/rabbit.hpp"

namespace postroom::bench {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds patience = 60s;  // for what must happen: the wait ends as soon as it does

class Owner {
 public:
  broker::Executor executor() {
    return [this](std::function<void()> work) {
      {
        const std::lock_guard hold{lock_};
        work_.push_back(std::move(work));
      }
      changed_.notify_one();
    };
  }

  // Runs what is posted until `holds` does; false after `limit`. Looks now and then without being woken, for what shows only from outside.
  bool until(const std::function<bool()>& holds, std::chrono::milliseconds limit = patience) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      std::unique_lock hold{lock_};
      if (!changed_.wait_for(hold, 20ms, [this] { return !work_.empty(); })) {
        if (std::chrono::steady_clock::now() >= end) return holds();
        continue;
      }
      auto work = std::move(work_.front());
      work_.pop_front();
      hold.unlock();
      work();
      ++runs_;
    }
    return true;
  }

  std::size_t runs() const { return runs_; }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  std::size_t runs_ = 0;
};

inline broker::Outgoing message(std::string_view exchange, std::string_view key, std::string id, std::string body = "{}") {
  broker::Outgoing out;
  out.exchange = exchange;
  out.routing_key = key;
  out.envelope.message_id = std::move(id);
  out.envelope.type = "ticket.open.v1";
  out.envelope.timestamp = from_micros(1'795'168'800'123'456);
  out.body = std::move(body);
  return out;
}

inline SteadyTime in(std::chrono::milliseconds delay) { return std::chrono::steady_clock::now() + delay; }

// How many messages are ready in a quorum queue. Asked of the queue itself: what list_queues shows is up to five seconds old.
inline std::size_t depth(support::Rabbit& rabbit, std::string_view queue) {
  const auto text = rabbit.evaluate(fmt::format("{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{}\">>, queue, <<\"{}\">>)), "
                                                "{{ok, Ready, _}} = rabbit_quorum_queue:stat(Q), Ready",
                                                rabbit.vhost, queue));
  return std::stoul(text);
}

inline void empty(support::Rabbit& rabbit, std::string_view queue) { rabbit.purge(queue); }

// What earlier cases left behind.
inline void empty_all(support::Rabbit& rabbit) {
  rabbit.evaluate("[rabbit_amqqueue:purge(Q) || Q <- rabbit_amqqueue:list(<<\"postroom\">>), amqqueue:get_type(Q) =:= rabbit_quorum_queue], ok");
}

// A publisher that is open, with its answers.
struct Sender {
  Sender(Owner& owner_of_it, broker::Endpoint endpoint) : owner(owner_of_it), publisher(broker::make_publisher(std::move(endpoint), owner.executor())) {
    publisher->on_state([this](broker::LinkState state) { states.push_back(state); });
    publisher->start();
  }
  bool open() {
    return owner.until([&] { return publisher->state() == broker::LinkState::open; });
  }
  void send(broker::Outgoing out, SteadyTime deadline = SteadyTime::max()) {
    publisher->submit(std::move(out), [this](broker::Published result) { answers.push_back(result); }, deadline);
  }
  bool answered(std::size_t count, std::chrono::milliseconds limit = patience) {
    return owner.until([&] { return answers.size() >= count; }, limit);
  }

  Owner& owner;
  std::vector<broker::Published> answers;
  std::vector<broker::LinkState> states;
  std::unique_ptr<broker::Publisher> publisher;
};

// A consumer that keeps what it got.
struct Receiver {
  Receiver(Owner& owner_of_it, broker::Endpoint endpoint) : owner(owner_of_it), consumer(broker::make_consumer(std::move(endpoint), owner.executor())) {
    consumer->on_state([this](broker::LinkState state) { states.push_back(state); });
    consumer->on_deliveries([this](std::vector<broker::Delivery> burst) {
      ++bursts;
      if (acks_at_once) consumer->ack_all(burst);
      for (auto& one : burst) got.push_back(std::move(one));
    });
  }
  bool open() {
    consumer->start();
    return owner.until([&] { return consumer->state() == broker::LinkState::open; });
  }
  bool has(std::size_t count, std::chrono::milliseconds limit = patience) {
    return owner.until([&] { return got.size() >= count; }, limit);
  }

  Owner& owner;
  std::vector<broker::Delivery> got;
  std::vector<broker::LinkState> states;
  std::size_t bursts = 0;
  bool acks_at_once = true;
  std::unique_ptr<broker::Consumer> consumer;
};

}  // namespace postroom::bench

namespace postroom::broker {

inline std::ostream& operator<<(std::ostream& out, Published result) { return out << static_cast<int>(result); }
inline std::ostream& operator<<(std::ostream& out, LinkState state) { return out << static_cast<int>(state); }

}  // namespace postroom::broker
