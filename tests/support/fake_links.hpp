#pragma once
// The ports of a worker, as fakes that record what was asked and answer when the test says so. Everything happens inside the test's own calls.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "common/broker/broker.hpp"
#include "common/http/exchange.hpp"

namespace postroom::fakes {

class FakePublisher final : public broker::Publisher {
 public:
  struct Sent {
    broker::Outgoing message;
    std::function<void(broker::Published)> done;
  };
  broker::PublishId submit(broker::Outgoing message, std::function<void(broker::Published)> done, SteadyTime) override {
    sent.push_back({std::move(message), std::move(done)});
    return sent.size();
  }
  broker::LinkState state() const override { return broker::LinkState::open; }
  void on_state(std::function<void(broker::LinkState)>) override {}
  std::size_t unconfirmed() const override { return 0; }
  void start() override {}
  void stop(std::chrono::milliseconds) override {}

  std::size_t count(std::string_view type) const {
    return static_cast<std::size_t>(std::ranges::count_if(sent, [&](const Sent& one) { return one.message.envelope.type == type; }));
  }
  // The last message of that type; the test fails elsewhere when there is none.
  const Sent* last(std::string_view type) const {
    const auto found = std::find_if(sent.rbegin(), sent.rend(), [&](const Sent& one) { return one.message.envelope.type == type; });
    return found == sent.rend() ? nullptr : &*found;
  }
  void answer_last(std::string_view type, broker::Published published = broker::Published::confirmed) {
    const auto done = last(type)->done;
    done(published);
  }

  std::vector<Sent> sent;
};

class FakeConsumer final : public broker::Consumer {
 public:
  void subscribe(broker::Subscription) override {}
  void own(broker::OwnQueue) override {}
  void on_deliveries(std::function<void(std::vector<broker::Delivery>)>) override {}
  void on_state(std::function<void(broker::LinkState)>) override {}
  void start() override {}
  void ack(const broker::Delivery& delivery) override { acked.push_back(delivery.tag); }
  void ack_all(const std::vector<broker::Delivery>& deliveries) override {
    for (const auto& one : deliveries) ack(one);
  }
  void reject(const broker::Delivery& delivery, bool requeue) override { rejected.emplace_back(delivery.tag, requeue); }
  void quiet() override {}
  void resume() override {}
  broker::LinkState state() const override { return broker::LinkState::open; }
  std::size_t consuming() const override { return 0; }
  void stop() override {}

  std::vector<std::uint64_t> acked;
  std::vector<std::pair<std::uint64_t, bool>> rejected;
};

class FakeHttp final : public http::Http {
 public:
  struct Asked {
    http::Request request;
    std::function<void(http::Reply)> done;
    bool has_left = false;
  };
  http::ExchangeId send(http::Request request, std::function<void(http::Reply)> done) override {
    asked[++last_id] = {std::move(request), std::move(done), false};
    return last_id;
  }
  bool has_left(http::ExchangeId id) const override { return asked.contains(id) && asked.at(id).has_left; }
  void cancel(http::ExchangeId id) override {
    if (!asked.contains(id)) return;
    http::Reply reply;
    reply.failure = http::Failure::cancelled;
    reply.was_sent = asked.at(id).has_left;
    answer(reply, id);
  }
  // The far side (or the network) answers the latest request, or that of `id`.
  void answer(http::Reply reply, http::ExchangeId id = 0) {
    const auto found = asked.find(id == 0 ? last_id : id);
    const auto done = found->second.done;
    asked.erase(found);
    done(std::move(reply));
  }
  const http::Request& last() const { return asked.at(last_id).request; }

  std::map<http::ExchangeId, Asked> asked;  // under way
  http::ExchangeId last_id = 0;
};

}  // namespace postroom::fakes
