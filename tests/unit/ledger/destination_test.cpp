#include "tests/unit/ledger/world.hpp"
#include "workers/ledger/decide/destination.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ReasonClass;
using store::Circuit;

TEST_CASE("the window bounds what is out, grows by success and halves by failure, never below one") {
  World world;
  auto& row = *world.state.destination;
  CHECK(free_slots(row, world.context) == 8);
  for (int i = 0; i < 8; ++i) on_dispatch(row, world.context);
  CHECK(free_slots(row, world.context) == 0);
  world.context.chance = [] { return 0.0; };
  on_leave(row);
  on_answer(row, world.context);
  CHECK(row.window_size == 9);
  on_leave(row);
  on_leave(row);
  on_answer(row, world.context);
  CHECK(row.window_size == 9);  // it was not the window that limited
  for (int i = 0; i < 4; ++i) on_failure(row, ReasonClass::server_error, world.context);
  CHECK(row.window_size == 1);
  row.window_size = world.config.delivery.window_limit;
  row.in_flight = row.window_size;
  on_answer(row, world.context);
  CHECK(row.window_size == world.config.delivery.window_limit);
}

TEST_CASE("the circuit opens after enough failures, lets one probe through, closes by its success") {
  World world;
  auto& row = *world.state.destination;
  for (int i = 0; i < 5; ++i) {
    CHECK(row.circuit == Circuit::closed);
    on_failure(row, ReasonClass::unreachable, world.context);
  }
  CHECK(row.circuit == Circuit::open);
  CHECK(free_slots(row, world.context) == 0);
  CHECK(next_slot_at(row, world.context) == world.context.now + 15 * second);
  world.pass(15 * second);
  CHECK(free_slots(row, world.context) == 1);
  on_dispatch(row, world.context);
  CHECK(row.circuit == Circuit::probing);
  CHECK(free_slots(row, world.context) == 0);
  World lost = world;
  on_leave(*lost.state.destination);
  CHECK(free_slots(*lost.state.destination, lost.context) == 1);  // the probe's outcome got lost
  on_leave(row);
  on_failure(row, ReasonClass::unreachable, world.context);
  CHECK(row.circuit == Circuit::open);
  CHECK(row.paused_until == world.context.now + 15 * second);
  world.pass(15 * second);
  on_dispatch(row, world.context);
  on_leave(row);
  on_answer(row, world.context);
  CHECK(row.circuit == Circuit::closed);
  CHECK(row.failures == 0);
  CHECK(free_slots(row, world.context) > 0);
}

TEST_CASE("only what a person must mend is hopeless") {
  World world;
  auto& row = *world.state.destination;
  on_failure(row, ReasonClass::credentials, world.context);
  CHECK(row.circuit == Circuit::open);
  CHECK(is_hopeless(row, world.context));
  World later = world;
  later.pass(15 * second);
  CHECK_FALSE(is_hopeless(*later.state.destination, later.context));  // a probe may go
  reset(row, world.context);
  CHECK_FALSE(is_hopeless(row, world.context));
  CHECK(free_slots(row, world.context) == 8);
  for (int i = 0; i < 5; ++i) on_failure(row, ReasonClass::server_error, world.context);
  CHECK_FALSE(is_hopeless(row, world.context));
}

TEST_CASE("announced limits become a bucket that refills with time") {
  World world;
  auto& row = *world.state.destination;
  messages::Limits limits;
  limits.per_interval = 100;
  limits.interval_ms = 10'000;
  on_limits(row, limits, world.context);
  CHECK(row.rate_per_second_milli == 9'000);
  std::int64_t sent = 0;
  row.window_size = 64;
  while (free_slots(row, world.context) > 0 && sent < 100) {
    on_dispatch(row, world.context);
    on_leave(row);
    ++sent;
  }
  CHECK(sent == 9);
  const auto next = next_slot_at(row, world.context);
  REQUIRE(next.has_value());
  CHECK(*next > world.context.now);
  CHECK(*next <= world.context.now + 112'000);
  world.context.now = *next;
  CHECK(free_slots(row, world.context) == 1);
}

TEST_CASE("a push back pauses everything for that destination, and absurd wishes are clamped") {
  World world;
  auto& row = *world.state.destination;
  on_push_back(row, world.context.now + 30 * second, "rate_limited");
  CHECK(free_slots(row, world.context) == 0);
  CHECK(row.window_size == 4);
  CHECK_FALSE(is_hopeless(row, world.context));
  messages::Limits spent;
  spent.remaining = 0;
  spent.reset_ms = INT64_MAX;
  on_limits(row, spent, world.context);
  CHECK(row.paused_until == world.context.now + 3600 * second);
}
