#include <doctest/doctest.h>

#include "tests/support/rabbit.hpp"

using namespace postroom;

TEST_CASE("the node imports the topology: quorum queues with their policies, users with their rights") {
  auto& rabbit = support::Rabbit::shared();
  const auto queues = rabbit.ctl({"list_queues", "-p", rabbit.vhost, "name", "type", "policy"});
  CHECK(queues.find("ledger.now\tquorum\tdead-letters\n") != std::string::npos);
  CHECK(queues.find("jira\tquorum\tdead-letters-after-20\n") != std::string::npos);
  CHECK(queues.find("standby\tquorum\t\n") != std::string::npos);
  const auto policies = rabbit.ctl({"list_policies", "-p", rabbit.vhost});
  CHECK(policies.find("{\"alternate-exchange\":\"standby\"}") != std::string::npos);
  const auto users = rabbit.ctl({"list_users"});
  CHECK(users.find("operator\t[management, monitoring]") != std::string::npos);
  CHECK(users.find("guest") == std::string::npos);
}
