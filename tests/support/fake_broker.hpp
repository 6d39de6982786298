#pragma once
// The broker's ports without a broker: what was published and acknowledged is remembered, answers come when the test gives them.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "common/broker/broker.hpp"

namespace postroom::fakes {

class FakePublisher final : public broker::Publisher {
 public:
  broker::PublishId submit(broker::Outgoing message, std::function<void(broker::Published)> done, SteadyTime = SteadyTime::max()) override {
    message.envelope.user_id = user;
    if (message.must_arrive) waiting.push_back({message, std::move(done)});
    published.push_back(std::move(message));
    return ++last_;
  }
  broker::LinkState state() const override { return link; }
  void on_state(std::function<void(broker::LinkState)>) override {}
  std::size_t unconfirmed() const override { return waiting.size(); }
  void start() override {}
  void stop(std::chrono::milliseconds) override {}

  // Answers everything that waits, in order.
  void answer_all(broker::Published with = broker::Published::confirmed) {
    auto answered = std::exchange(waiting, {});
    for (auto& one : answered) one.done(with);
  }
  void answer(std::size_t index, broker::Published with) {
    auto done = waiting.at(index).done;
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
    done(with);
  }
  // What was published of this type since the last call.
  std::vector<broker::Outgoing> take(std::string_view type) {
    std::vector<broker::Outgoing> taken;
    std::erase_if(published, [&](const broker::Outgoing& message) {
      if (message.envelope.type != type) return false;
      taken.push_back(message);
      return true;
    });
    return taken;
  }

  struct Waiting {
    broker::Outgoing message;
    std::function<void(broker::Published)> done;
  };
  std::string user = "ledger";
  broker::LinkState link = broker::LinkState::open;
  std::vector<Waiting> waiting;
  std::vector<broker::Outgoing> published;

 private:
  broker::PublishId last_ = 0;
};

class FakeConsumer final : public broker::Consumer {
 public:
  void subscribe(broker::Subscription) override { ++subscriptions; }
  void own(broker::OwnQueue) override {}
  void on_deliveries(std::function<void(std::vector<broker::Delivery>)>) override {}
  void on_state(std::function<void(broker::LinkState)>) override {}
  void start() override {}
  void ack(const broker::Delivery& delivery) override { acked.push_back(delivery.tag); }
  void ack_all(const std::vector<broker::Delivery>& deliveries) override {
    if (on_ack) on_ack();
    for (const auto& delivery : deliveries) acked.push_back(delivery.tag);
  }
  void reject(const broker::Delivery& delivery, bool) override { rejected.push_back(delivery.tag); }
  void quiet() override {}
  void resume() override {}
  broker::LinkState state() const override { return broker::LinkState::open; }
  std::size_t consuming() const override { return subscriptions; }
  void stop() override {}

  std::function<void()> on_ack;
  std::size_t subscriptions = 0;
  std::vector<std::uint64_t> acked;
  std::vector<std::uint64_t> rejected;
};

}  // namespace postroom::fakes
