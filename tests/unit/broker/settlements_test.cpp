#include "common/broker/settlements.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>

using postroom::broker::Settlement;
using postroom::broker::Settlements;
using Kind = Settlement::Kind;
using Words = std::vector<Settlement>;

namespace postroom::broker {

inline std::ostream& operator<<(std::ostream& out, const Settlement& one) { return out << static_cast<int>(one.kind) << ':' << one.tag; }

}  // namespace postroom::broker

namespace {

Settlements holding(std::uint64_t count) {
  Settlements settlements;
  for (std::uint64_t tag = 1; tag <= count; ++tag) settlements.delivered(tag);
  return settlements;
}

}  // namespace

TEST_CASE("a settled prefix is one ack, and what lies beyond a gap is acked by itself") {
  auto settlements = holding(6);
  for (const std::uint64_t tag : {3, 1, 2, 6, 5}) settlements.ack(tag);
  CHECK(settlements.take() == Words{{Kind::ack_up_to, 3}, {Kind::ack, 6}, {Kind::ack, 5}});
  CHECK(settlements.take().empty());
  settlements.ack(4);
  CHECK(settlements.take() == Words{{Kind::ack, 4}});
}

TEST_CASE("nothing that is still held is ever covered by a multiple ack") {
  // All orders of acking six deliveries, told after every second word.
  std::vector<std::uint64_t> order{1, 2, 3, 4, 5, 6};
  do {
    auto settlements = holding(6);
    std::vector<bool> acked(7, false);
    std::vector<bool> told(7, false);
    for (std::size_t i = 0; i < order.size(); ++i) {
      settlements.ack(order[i]);
      acked[order[i]] = true;
      if (i % 2 == 0) continue;
      for (const auto& word : settlements.take()) {
        REQUIRE_FALSE(told[word.tag]);  // a tag that the broker no longer knows ends the channel
        for (std::uint64_t tag = word.kind == Kind::ack_up_to ? 1 : word.tag; tag <= word.tag; ++tag) {
          REQUIRE(acked[tag]);
          told[tag] = true;
        }
      }
    }
    REQUIRE(std::count(told.begin(), told.end(), true) == 6);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("rejects go first, and a multiple ack ends on a tag that was acked") {
  auto settlements = holding(4);
  settlements.ack(1);
  settlements.ack(2);
  settlements.reject(3, true);
  settlements.reject(4, false);
  CHECK(settlements.take() == Words{{Kind::requeue, 3}, {Kind::reject, 4}, {Kind::ack_up_to, 2}});
}

TEST_CASE("a second word on a delivery is ignored") {
  auto settlements = holding(3);
  settlements.ack(2);
  settlements.ack(2);
  settlements.reject(2, true);
  CHECK(settlements.take() == Words{{Kind::ack, 2}});
  settlements.ack(2);
  settlements.ack(9);
  settlements.ack(0);
  CHECK(settlements.take().empty());
}

TEST_CASE("a new link starts with nothing held") {
  auto settlements = holding(2);
  settlements.ack(1);
  settlements.reset();
  CHECK(settlements.take().empty());
  settlements.ack(1);
  CHECK(settlements.take().empty());
  settlements.delivered(1);
  settlements.ack(1);
  CHECK(settlements.take() == Words{{Kind::ack, 1}});
}
