#pragma once
// Connection tests: read-only, so they need no claim. The outcome goes to the ledger, then the job is acknowledged.

#include <map>

#include "workers/runtime/desk.hpp"
#include "workers/runtime/trade.hpp"

namespace postroom::worker {

class Tester {
 public:
  explicit Tester(Desk& desk) : desk_(desk) {}

  void begin(broker::Delivery delivery, TestJob job);
  void abandon_all();  // unacknowledged: another worker gets them
  std::size_t in_flight() const { return tests_.size(); }
  std::function<void()> ended = [] {};

 private:
  struct Test {
    broker::Delivery delivery;
    messages::TestOutcome outcome;
    Talk<TestStep> talk;
    http::ExchangeId exchange = 0;
    smtp::ExchangeId mail = 0;
  };
  void perform(std::uint64_t number, Ask ask);
  void follow(std::uint64_t number, const std::function<TestStep(Talk<TestStep>&)>& step);
  void report(std::uint64_t number);

  Desk& desk_;
  std::map<std::uint64_t, Test> tests_;
  std::uint64_t last_number_ = 0;
};

}  // namespace postroom::worker
