#include "api/command_ids.hpp"

#include <doctest/doctest.h>

#include "tests/support/fakes.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

const CommandOrigin origin{.installation = "7f3c2f0e-6f0b-4b5e-9a55-2f6f9d1c0a11",
                           .principal = "admin",
                           .board = "5d0f2e2c-0f0e-4a43-8f5c-0a4f6b1d2c3e",
                           .route = "POST /boards/{id}/tickets",
                           .idempotency_key = "k1"};

std::string id_of(const CommandOrigin& from) {
  fakes::CountingIds ids;
  return command_id(from, ids);
}

}  // namespace

TEST_CASE("a repeat with the same key is the same command and names the same things") {
  CHECK(id_of(origin) == id_of(origin));
  CHECK(id_of(origin)[14] == '5');
  CHECK(made_by(id_of(origin), "ticket") == made_by(id_of(origin), "ticket"));
  CHECK(made_by(id_of(origin), "ticket") != made_by(id_of(origin), "board"));
}

TEST_CASE("another key, caller, route or installation is another command") {
  auto other = origin;
  other.idempotency_key = "k2";
  CHECK(id_of(other) != id_of(origin));
  other = origin;
  other.principal = "someone";
  CHECK(id_of(other) != id_of(origin));
  other = origin;
  other.route = "POST /boards";
  CHECK(id_of(other) != id_of(origin));
  other = origin;
  other.installation = "7f3c2f0e-6f0b-4b5e-9a55-2f6f9d1c0a12";
  CHECK(id_of(other) != id_of(origin));
}

TEST_CASE("nobody's keys count for their board only") {
  auto nobody = origin;
  nobody.principal = {};
  CHECK(id_of(nobody) != id_of(origin));
  auto elsewhere = nobody;
  elsewhere.board = "5d0f2e2c-0f0e-4a43-8f5c-0a4f6b1d2c3f";
  CHECK(id_of(elsewhere) != id_of(nobody));
}

TEST_CASE("without a key every command is new") {
  auto without = origin;
  without.idempotency_key = {};
  fakes::CountingIds ids;
  const auto first = command_id(without, ids);
  CHECK(first != command_id(without, ids));
}
