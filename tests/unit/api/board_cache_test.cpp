#include "api/server/board_cache.hpp"

#include <doctest/doctest.h>

#include "tests/support/fakes.hpp"

using namespace postroom;
using namespace postroom::api;

TEST_CASE("a board is known for a second, and then no more") {
  fakes::ManualClock clock;
  BoardCache cache{clock};
  cache.keep("board", {.is_public = true, .is_archived = false});
  CHECK(cache.find("board")->is_public);
  clock.advance(std::chrono::milliseconds{999});
  CHECK(cache.find("board").has_value());
  clock.advance(std::chrono::milliseconds{1});
  CHECK_FALSE(cache.find("board").has_value());
}

TEST_CASE("a board that was known when the reader was spared stays known, though its entry runs out meanwhile") {
  fakes::ManualClock clock;
  BoardCache cache{clock};
  cache.keep("board", {.is_public = true, .is_archived = false});
  const auto known = cache.find("board");
  clock.advance(std::chrono::seconds{1});
  const CachedBoards boards{cache, nullptr, known};
  const auto found = boards.find("board");
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->is_public);
}

TEST_CASE("without a reader and without knowledge nothing can be told") {
  fakes::ManualClock clock;
  BoardCache cache{clock};
  CHECK(CachedBoards{cache, nullptr}.find("board").error().code() == Code::unavailable);
}
