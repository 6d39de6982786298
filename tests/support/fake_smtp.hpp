#pragma once
// The Smtp port without a network: what was asked is remembered, mails are held and answered when the test says so.

#include <map>

#include "common/smtp/exchange.hpp"

namespace postroom::fakes {

class FakeSmtp final : public smtp::Smtp {
 public:
  struct Asked {
    smtp::Request request;
    std::function<void()> held;
    std::function<void(smtp::Reply)> done;
    bool is_held = false;
    bool dot_left = false;
    SteadyTime dot_by{};
  };
  smtp::ExchangeId send(smtp::Request request, std::function<void()> held, std::function<void(smtp::Reply)> done) override {
    asked[++last_id] = {std::move(request), std::move(held), std::move(done)};
    return last_id;
  }
  void go_on(smtp::ExchangeId id, SteadyTime by) override {
    const auto found = asked.find(id);
    if (found == asked.end() || !found->second.is_held) return;
    found->second.dot_left = true;
    found->second.dot_by = by;
  }
  bool may_have_arrived(smtp::ExchangeId id) const override { return asked.contains(id) && asked.at(id).dot_left; }
  void cancel(smtp::ExchangeId id) override {
    if (!asked.contains(id)) return;
    ++cancelled;
    answer(smtp::Failure::cancelled, id);
  }

  void hold() {
    Asked& one = asked.at(last_id);
    one.is_held = true;
    one.held();
  }
  // The far side (or the network) ends the latest mail, or that of `id`.
  void answer(smtp::Failure failure, smtp::ExchangeId id = 0) {
    smtp::Reply reply;
    reply.failure = failure;
    reply.took = std::chrono::milliseconds{12};
    answer(std::move(reply), id);
  }
  void answer(smtp::Reply reply, smtp::ExchangeId id = 0) {
    const auto found = asked.find(id == 0 ? last_id : id);
    reply.may_have_arrived = found->second.dot_left && reply.failure != smtp::Failure::rejected;
    const auto done = found->second.done;
    asked.erase(found);
    done(std::move(reply));
  }
  const Asked& last() const { return asked.at(last_id); }

  std::map<smtp::ExchangeId, Asked> asked;  // under way
  smtp::ExchangeId last_id = 0;
  int cancelled = 0;
};

}  // namespace postroom::fakes
