#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/component/broker/bench.hpp"

using namespace postroom;
using namespace postroom::bench;
using broker::LinkState;
using broker::Published;

TEST_CASE("the broker is killed and comes back: nothing confirmed is lost, what was in flight is published again, own queues are back") {
  auto& rabbit = support::Rabbit::shared();
  const support::Restored restored{rabbit};
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  Receiver ledger{owner, rabbit.endpoint("ledger")};
  ledger.consumer->subscribe({"ledger.intake", 100});
  Receiver replies{owner, rabbit.endpoint("api")};
  replies.consumer->own({"reply.api.9-kill", "reply", {"reply.api.9-kill"}});
  REQUIRE(api.open());
  REQUIRE(ledger.open());
  REQUIRE(replies.open());
  const int count = 3000;
  for (int i = 0; i < count / 2; ++i) api.send(message("cmd", "intake", fmt::format("kill-{}", i), std::string(500, 'x')));
  REQUIRE(api.answered(100));
  rabbit.kill();
  const auto links_before = ledger.got.empty() ? 0 : ledger.got.back().link;
  for (int i = count / 2; i < count; ++i) api.send(message("cmd", "intake", fmt::format("kill-{}", i), std::string(500, 'x')));
  CHECK_FALSE(api.answered(static_cast<std::size_t>(count), 200ms));
  rabbit.start();
  const auto back = std::chrono::steady_clock::now();
  REQUIRE(owner.until([&] { return ledger.consumer->state() == LinkState::open && api.publisher->state() == LinkState::open; }));
  CHECK(std::chrono::steady_clock::now() - back < 10s);  // what is promised; some two seconds at rest
  REQUIRE(api.answered(static_cast<std::size_t>(count)));
  CHECK(std::ranges::count(api.answers, Published::confirmed) == count);
  std::set<std::string> arrived;
  std::size_t seen = 0;
  REQUIRE(owner.until([&] {
    for (; seen < ledger.got.size(); ++seen) arrived.insert(ledger.got[seen].envelope.message_id);
    return arrived.size() == static_cast<std::size_t>(count);
  }));
  CHECK(ledger.got.back().link > links_before);
  REQUIRE(owner.until([&] { return replies.consumer->state() == LinkState::open; }));
  Sender answering{owner, rabbit.endpoint("ledger")};
  REQUIRE(answering.open());
  answering.send(message("reply", "reply.api.9-kill", "welcome back"));
  REQUIRE(replies.has(1));
}

TEST_CASE("a silent broker is noticed within two heartbeats, deadlines are kept meanwhile, and work goes on when it speaks again") {
  auto& rabbit = support::Rabbit::shared();
  const support::Restored restored{rabbit};
  Owner owner;
  Sender api{owner, rabbit.endpoint("api", "silent", 1s)};
  Receiver ledger{owner, rabbit.endpoint("ledger", "silent", 1s)};
  ledger.consumer->subscribe({"ledger.now", 10});
  REQUIRE(api.open());
  REQUIRE(ledger.open());
  rabbit.pause();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) api.send(message("cmd", "now", fmt::format("silent-{}", i), std::string(2000, 'x')), in(500ms));
  REQUIRE(api.answered(2000));
  CHECK(std::chrono::steady_clock::now() - began < 5s);  // half a second, and as much again and again as a busy machine takes
  CHECK(std::ranges::count(api.answers, Published::unknown) > 10);    // what was written
  CHECK(std::ranges::count(api.answers, Published::not_sent) > 500);  // beyond the window
  REQUIRE(owner.until([&] { return api.publisher->state() == LinkState::connecting && ledger.consumer->state() == LinkState::connecting; }));
  CHECK(std::chrono::steady_clock::now() - began < 8s);  // two heartbeats are two seconds; the kernel would wait for minutes
  // A dial hangs in the handshake now: deadlines are kept all the same.
  api.answers.clear();
  const auto later = std::chrono::steady_clock::now();
  api.send(message("cmd", "now", "into the void"), in(400ms));
  REQUIRE(api.answered(1));
  CHECK(api.answers == std::vector{Published::not_sent});
  CHECK(std::chrono::steady_clock::now() - later < 5s);
  rabbit.resume();
  api.answers.clear();
  api.send(message("cmd", "now", "good morning"));
  REQUIRE(api.answered(1));
  REQUIRE(owner.until([&] { return std::ranges::any_of(ledger.got, [](const auto& one) { return one.envelope.message_id == "good morning"; }); }));
}

TEST_CASE("stop returns in time while the broker is silent, in a handshake or with messages in flight") {
  auto& rabbit = support::Rabbit::shared();
  const support::Restored restored{rabbit};
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  Receiver ledger{owner, rabbit.endpoint("ledger")};
  ledger.consumer->subscribe({"ledger.now", 10});
  REQUIRE(api.open());
  REQUIRE(ledger.open());
  rabbit.pause();
  Sender dialling{owner, rabbit.endpoint("api")};
  dialling.send(message("cmd", "now", "never sent"));
  api.send(message("cmd", "now", "in flight"));
  const auto began = std::chrono::steady_clock::now();
  api.publisher->stop(300ms);
  dialling.publisher->stop(300ms);
  ledger.consumer->stop();
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  REQUIRE(api.answered(1));
  CHECK(api.answers == std::vector{Published::unknown});
  REQUIRE(dialling.answered(1));
  CHECK(dialling.answers == std::vector{Published::not_sent});
}

TEST_CASE("an idle link outlives many heartbeats and hardly wakes") {
  auto& rabbit = support::Rabbit::shared();
  Owner owner;
  Sender api{owner, rabbit.endpoint("api", "idle", 1s)};
  Receiver ledger{owner, rabbit.endpoint("ledger", "idle", 1s)};
  ledger.consumer->subscribe({"ledger.now", 10});
  REQUIRE(api.open());
  REQUIRE(ledger.open());
  const auto switches = [] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_nvcsw;
  };
  // Two links, each woken by two heartbeats a second from either side: some 40, and what a sanitizer adds. A tick of 50 ms would make 200.
  // The fewest of three tries: a busy machine adds wake-ups and takes none away.
  long fewest = 1'000'000;
  for (int i = 0; i < 3 && fewest >= 150; ++i) {
    const auto before = switches();
    std::this_thread::sleep_for(5s);  // idling is what is tested, so this thread must not wake either
    fewest = std::min(fewest, switches() - before);
  }
  CHECK(fewest < 150);
  CHECK(api.publisher->state() == LinkState::open);
  CHECK(ledger.consumer->state() == LinkState::open);
}
