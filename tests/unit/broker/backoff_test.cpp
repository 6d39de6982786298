#include "common/broker/backoff.hpp"

#include <doctest/doctest.h>

using postroom::broker::Backoff;
using namespace std::chrono_literals;

TEST_CASE("the first tries follow fast, later ones stay below two seconds, and none is free") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    Backoff backoff{seed};
    auto total = 0ms;
    for (int i = 0; i < 4; ++i) total += backoff.next();
    CHECK(total < 800ms);
    for (int i = 0; i < 100; ++i) {
      const auto wait = backoff.next();
      CHECK(wait <= 2s);
      CHECK(wait >= 400ms);
    }
    backoff.reset();
    CHECK(backoff.next() <= 50ms);
  }
}

TEST_CASE("two processes do not knock in step") {
  Backoff one{1};
  Backoff other{2};
  int same = 0;
  for (int i = 0; i < 20; ++i) same += one.next() == other.next() ? 1 : 0;
  CHECK(same < 5);
}
