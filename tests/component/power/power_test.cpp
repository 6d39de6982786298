// Power cuts: what the ledger acknowledged is there afterwards, whatever becomes of what the disk was not told to keep.

#include <doctest/doctest.h>

#include "tests/component/power/world.hpp"

using namespace postroom;
using namespace postroom::ledger;

namespace {

constexpr int worlds = 20, cuts_of_a_world = 10;

// True when the judge sees the planted bug in one of many worlds.
bool is_caught(Plant plant) {
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    PowerWorld world{seed, plant};
    for (int i = 0; i < cuts_of_a_world && world.violations().empty(); ++i) world.live_until_a_cut();
    if (world.violations().empty()) world.live_on();
    if (world.violations().empty()) continue;
    MESSAGE("seed ", seed, ", ", world.violations().front());
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("after each of 200 power cuts the store is whole and what was acknowledged is there, done once") {
  int cuts = 0;
  std::size_t promises = 0, tickets = 0;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    CAPTURE(seed);
    PowerWorld world{seed, Plant::nothing};
    for (int i = 0; i < cuts_of_a_world && world.violations().empty(); ++i) world.live_until_a_cut();
    if (world.violations().empty()) world.live_on();
    for (const auto& violation : world.violations()) MESSAGE(violation);
    REQUIRE(world.violations().empty());
    cuts += world.cuts();
    promises += world.promises();
    tickets += world.tickets();
  }
  MESSAGE(cuts, " cuts, ", promises, " promises kept, ", tickets, " tickets");
  CHECK(cuts == worlds * cuts_of_a_world);
  CHECK(promises > 2'000);
}

TEST_CASE("the judge sees a store that syncs nothing") {
  CHECK(is_caught(Plant::synchronous_off));
}

TEST_CASE("the judge sees a store that syncs its checkpoints only") {
  CHECK(is_caught(Plant::synchronous_normal));
}

TEST_CASE("the judge sees a ledger that acknowledges before it commits") {
  CHECK(is_caught(Plant::commit_after_ack));
}
