#include <doctest/doctest.h>

#include <algorithm>

#include "tests/component/broker/bench.hpp"

using namespace postroom;
using namespace postroom::bench;
using broker::LinkState;
using broker::Published;

TEST_CASE("messages are confirmed, and the owner hears of a burst at once") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  REQUIRE(api.open());
  const auto runs_before = owner.runs();
  for (int i = 0; i < 500; ++i) api.send(message("cmd", "intake", fmt::format("burst-{}", i), std::string(700, 'x')), in(patience));
  CHECK(api.publisher->unconfirmed() > 0);
  REQUIRE(api.answered(500));
  CHECK(std::ranges::count(api.answers, Published::confirmed) == 500);
  CHECK(api.publisher->unconfirmed() == 0);
  CHECK(owner.runs() - runs_before < 250);
  CHECK(depth(rabbit, "ledger.intake") == 500);
  empty(rabbit, "ledger.intake");
}

TEST_CASE("a message larger than the window and the frame arrives whole") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  Receiver ledger{owner, rabbit.endpoint("ledger")};
  ledger.consumer->subscribe({"ledger.now", 10});
  REQUIRE(api.open());
  REQUIRE(ledger.open());
  std::string body(1'000'003, 'a');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  api.send(message("cmd", "now", "large", body));
  api.send(message("cmd", "now", "empty", ""));
  REQUIRE(ledger.has(2));
  CHECK(ledger.got[0].body == body);
  CHECK(ledger.got[1].body.empty());
}

TEST_CASE("what no queue wants is returned, unless an alternate exchange shelves it") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  ledger.send(message("reply", "reply.api.nobody", "lost", "some body"));
  ledger.send(message("event", "ticket.changed.v1", "unheard"));
  ledger.send(message("cmd", "now", "wanted"));
  ledger.send(message("work", "no-such-worker", "shelved"));
  REQUIRE(ledger.answered(4));
  CHECK(std::ranges::count(ledger.answers, Published::returned) == 2);
  CHECK(std::ranges::count(ledger.answers, Published::confirmed) == 2);
  CHECK(depth(rabbit, "standby") == 1);
  empty(rabbit, "standby");
  empty(rabbit, "ledger.now");
}

TEST_CASE("a full queue rejects") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  rabbit.ctl({"set_policy", "-p", rabbit.vhost, "--priority", "9", "full", "^trello\\.test$",
              R"({"max-length":1,"overflow":"reject-publish"})", "--apply-to", "queues"});
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  // A policy reaches its queue a while after rabbitmqctl has ended.
  const auto patience_ends = in(patience);
  do {
    ledger.send(message("work", "trello.test", fmt::format("full-{}", ledger.answers.size())));
    REQUIRE(ledger.answered(ledger.answers.size() + 1));
  } while (ledger.answers.back() == Published::confirmed && std::chrono::steady_clock::now() < patience_ends);
  CHECK(ledger.answers.front() == Published::confirmed);
  CHECK(ledger.answers.back() == Published::rejected);
  rabbit.ctl({"clear_policy", "-p", rabbit.vhost, "full"});
  empty(rabbit, "trello.test");
}

TEST_CASE("a may-drop message has one try and no answer") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  auto early = message("cmd", "now", "too early");
  early.must_arrive = false;
  ledger.send(early);
  REQUIRE(ledger.open());
  auto out = message("cmd", "now", "in time");
  out.must_arrive = false;
  ledger.send(out);
  ledger.send(message("cmd", "now", "behind it"));
  REQUIRE(ledger.answered(1));
  CHECK(ledger.answers.size() == 1);
  const auto waiting = depth(rabbit, "ledger.now");
  CHECK(waiting >= 2);  // the early one may have met an open link
  empty(rabbit, "ledger.now");
}

TEST_CASE("names that AMQP cannot carry are given up, and the next message passes") {
  Owner owner;
  Sender api{owner, support::Rabbit::shared().endpoint("api")};
  REQUIRE(api.open());
  api.send(message("cmd", "now", std::string(300, 'x')));
  api.send(message("cmd", "now", "fine"));
  REQUIRE(api.answered(2));
  CHECK(api.answers == std::vector{Published::not_sent, Published::confirmed});
  empty(support::Rabbit::shared(), "ledger.now");
}

TEST_CASE("stop waits for confirms, and answers every message") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  REQUIRE(api.open());
  for (int i = 0; i < 100; ++i) api.send(message("cmd", "now", fmt::format("stop-{}", i)));
  api.publisher->stop(5s);
  api.send(message("cmd", "now", "after the end"));
  REQUIRE(api.answered(101));
  CHECK(std::ranges::count(api.answers, Published::confirmed) == 100);
  CHECK(api.answers.back() == Published::not_sent);
  CHECK(depth(rabbit, "ledger.now") == 100);
  empty(rabbit, "ledger.now");
}

TEST_CASE("a memory alarm blocks: deadlines are kept, and messages flow when it is over") {
  auto& rabbit = support::Rabbit::shared();
  const support::Restored restored{rabbit};
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  REQUIRE(api.open());
  rabbit.block();
  api.send(message("cmd", "now", "the one that finds out"), in(1s));
  REQUIRE(owner.until([&] { return api.publisher->state() == LinkState::blocked; }));
  REQUIRE(api.answered(1));
  api.answers.clear();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) api.send(message("cmd", "now", fmt::format("stalled-{}", i), std::string(1000, 'x')), in(500ms));
  api.send(message("cmd", "now", "patient"));
  REQUIRE(api.answered(2000));
  CHECK(std::chrono::steady_clock::now() - began < 5s);  // half a second, and what a busy machine adds
  CHECK(std::ranges::count(api.answers, Published::not_sent) == 2000);
  rabbit.unblock();
  REQUIRE(api.answered(2001));
  CHECK(api.answers.back() == Published::confirmed);
  CHECK(api.publisher->state() == LinkState::open);
  empty(rabbit, "ledger.now");
}

TEST_CASE("a broker that is not there: not_sent within the deadline, and stop does not wait") {
  Owner owner;
  auto nowhere = support::Rabbit::shared().endpoint("api");
  nowhere.port = 1;
  Sender api{owner, nowhere};
  const auto began = std::chrono::steady_clock::now();
  api.send(message("cmd", "now", "hopeless"), in(300ms));
  REQUIRE(api.answered(1));
  CHECK(api.answers == std::vector{Published::not_sent});
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  const auto told = std::chrono::steady_clock::now();
  api.publisher->stop(0ms);
  CHECK(std::chrono::steady_clock::now() - told < 5s);
}
