#pragma once
// A ledger that the test plays on the real broker: keeps what comes in, and answers as the test says.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "api/json_view.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "tests/component/api/running_api.hpp"

namespace postroom::support {

// One thread that runs what the ports hand over, in order.
class Owner {
 public:
  Owner() : thread_([this] { run(); }) {}
  ~Owner() {
    post({});
    thread_.join();
  }
  void post(std::function<void()> work) {
    const std::lock_guard guard{mutex_};
    queue_.push_back(std::move(work));
    changed_.notify_one();
  }
  broker::Executor executor() {
    return [this](std::function<void()> work) { post(std::move(work)); };
  }

 private:
  void run() {
    while (true) {
      std::function<void()> work;
      {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !queue_.empty(); });
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      if (!work) return;
      work();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::thread thread_;
};

// Plays the ledger: keeps what comes in, and answers commands as the test says.
class PlayedLedger {
 public:
  using Answer = std::function<std::optional<messages::CommandReplied>(const broker::Delivery&)>;

  explicit PlayedLedger(Answer answer = {}) : answer_(std::move(answer)) {
    auto& rabbit = Rabbit::shared();
    publisher_ = broker::make_publisher(rabbit.endpoint("ledger", "played publish"), owner_.executor());
    consumer_ = broker::make_consumer(rabbit.endpoint("ledger", "played consume"), owner_.executor());
    for (const auto queue : {broker::names::ledger_now, broker::names::ledger_intake}) consumer_->subscribe({.queue = std::string{queue}, .prefetch = 100});
    consumer_->on_deliveries([this](std::vector<broker::Delivery> all) { take(all); });
    publisher_->start();
    consumer_->start();
  }
  ~PlayedLedger() {
    consumer_->stop();
    publisher_->stop(std::chrono::seconds{1});
  }

  // The next message of that type with those words in its body, or none in a minute. Others before it, of earlier cases too, are passed over.
  std::optional<broker::Delivery> next(std::string_view type, std::string_view words) {
    std::unique_lock lock{mutex_};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (true) {
      while (!seen_.empty()) {
        auto delivery = std::move(seen_.front());
        seen_.pop_front();
        if (delivery.envelope.type == type && delivery.body.find(words) != std::string::npos) return delivery;
      }
      if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
    }
  }

 private:
  void take(const std::vector<broker::Delivery>& all) {
    for (const auto& delivery : all) {
      if (const auto said = answer_ ? answer_(delivery) : std::nullopt; said && !delivery.envelope.reply_to.empty()) {
        broker::Outgoing reply;
        reply.exchange = broker::names::reply;
        reply.routing_key = delivery.envelope.reply_to;
        reply.envelope.type = messages::CommandReplied::type;
        reply.envelope.message_id = delivery.envelope.message_id;
        reply.envelope.correlation_id = delivery.envelope.correlation_id;
        reply.body = codec::encode(*said);
        reply.must_arrive = false;
        publisher_->submit(std::move(reply), {});
      }
      const std::lock_guard guard{mutex_};
      seen_.push_back(delivery);
    }
    consumer_->ack_all(all);
    changed_.notify_all();
  }

  Answer answer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<broker::Delivery> seen_;
  Owner owner_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
};

// A member of the answer's data, or "".
inline std::string data_of(const RawReply& reply, std::string_view member) {
  const auto document = api::JsonDocument::parse(reply.body);
  return document ? std::string{document->root()["data"][member].string()} : std::string{};
}

}  // namespace postroom::support
