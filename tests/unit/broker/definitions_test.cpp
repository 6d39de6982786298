#include "common/broker/definitions.hpp"

#include <doctest/doctest.h>
#include <re2/re2.h>

#include <fstream>
#include <set>
#include <sstream>

#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"

using namespace postroom;

namespace {

bool matches(const std::string& pattern, const std::string& name) { return RE2::PartialMatch(name, pattern); }

}  // namespace

TEST_CASE("the definitions are JSON and name every exchange, queue and user") {
  const auto text = broker::definitions_json("post\"room", {{"api", "hash-a"}, {"operator", "hash-o"}});
  REQUIRE(codec::normalised_json(text).ok());
  for (const auto& exchange : broker::exchanges()) CHECK(text.find("\"name\": \"" + std::string{exchange.name} + "\"") != std::string::npos);
  for (const auto& queue : broker::queues()) CHECK(text.find("\"destination\": \"" + std::string{queue.name} + "\"") != std::string::npos);
  CHECK(text.find("hash-a") != std::string::npos);
  CHECK(text.find("\"name\": \"jira\", \"password_hash\"") == std::string::npos);
}

TEST_CASE("a worker may publish results, read its own queues and nothing else") {
  const auto jira = broker::rights_of("jira");
  CHECK(matches(jira.write, "result"));
  for (const char* name : {"cmd", "work", "reply", "event", "standby", "", "resultx", "amq.default", "reply.trello.1-a"}) CHECK_FALSE(matches(jira.write, name));
  for (const char* name : {"jira", "jira.test", "reply", "reply.jira.4711-0badcafe"}) CHECK(matches(jira.read, name));
  for (const char* name : {"ledger.now", "jiraxtest", "trello", "standby", "reply.trello.1-a", "event", "cmd"}) CHECK_FALSE(matches(jira.read, name));
  CHECK(matches(jira.configure, "reply.jira.4711-0badcafe"));
  for (const char* name : {"jira", "reply", "reply.jira.", "replyxjira.1", "event.jira.1"}) CHECK_FALSE(matches(jira.configure, name));
}

TEST_CASE("the ledger declares nothing and may publish again what others published") {
  const auto ledger = broker::rights_of("ledger");
  CHECK(ledger.configure == "^$");
  for (const char* name : {"cmd", "result", "work", "reply", "event"}) CHECK(matches(ledger.write, name));
  for (const char* name : {"ledger.now", "ledger.intake", "ledger.results", "standby"}) CHECK(matches(ledger.read, name));
  CHECK_FALSE(matches(ledger.read, "jira"));
}

TEST_CASE("an operator and a stranger may touch nothing") {
  for (const char* user : {"operator", "nobody"}) {
    const auto rights = broker::rights_of(user);
    CHECK(rights.configure + rights.write + rights.read == "^$^$^$");
  }
}

TEST_CASE("workers' queues have a delivery limit, the ledger's and the leases' have none") {
  const auto text = broker::definitions_json("postroom", {});
  const auto policy_at = [&](const char* name) { return text.substr(text.find(name), 400); };
  const auto limited = policy_at("\"dead-letters-after-20\"");
  CHECK(limited.find(R"("^(imap_poller\\.test|jira|jira\\.test|mail_router|notifier|notifier\\.test|trello|trello\\.test)$")") != std::string::npos);
  CHECK(limited.substr(0, limited.find('\n')).find("\"delivery-limit\": 20") != std::string::npos);
  const auto unlimited = policy_at("\"dead-letters\"");
  CHECK(unlimited.find(R"("^(imap_poller|ledger\\.intake|ledger\\.now|ledger\\.results)$")") != std::string::npos);
  CHECK(unlimited.substr(0, unlimited.find('\n')).find("delivery-limit") == std::string::npos);
}

TEST_CASE("every key of a route leads to a queue, and every queue is reached by a route") {
  std::set<std::string_view> reached;
  for (const auto& route : broker::routes()) {
    if (route.key.starts_with("<")) continue;
    bool found = false;
    for (const auto& queue : broker::queues()) {
      if (queue.exchange != route.exchange || queue.key != route.key) continue;
      found = true;
      reached.insert(queue.name);
    }
    CAPTURE(route.type);
    CHECK(found);
  }
  for (const auto& queue : broker::queues()) {
    CAPTURE(queue.name);
    CHECK((reached.contains(queue.name) || queue.name == broker::names::standby));
  }
}

TEST_CASE("the README's table shows every type and queue once") {
  const auto table = broker::topology_markdown();
  for (const auto& route : broker::routes()) {
    const auto name = "`" + std::string{route.type} + "`";
    CAPTURE(name);
    CHECK(table.find(name) != std::string::npos);
    CHECK(table.find(name) == table.rfind(name));
  }
  for (const auto& queue : broker::queues()) CHECK(table.find("| `" + std::string{queue.name} + "` |") != std::string::npos);
}

TEST_CASE("the pages that show the table show today's") {
  std::size_t shown = 0;
  for (const char* page : {"common/broker/README.md", "README.md"}) {
    std::ifstream file{std::string{POSTROOM_SOURCE_DIR "/"} + page};
    std::ostringstream content;
    content << file.rdbuf();
    const auto text = content.str();
    const std::string_view opening = "<!-- topology -->\n";
    const auto begin = text.find(opening);
    if (begin == std::string::npos) continue;
    ++shown;
    const auto end = text.find("<!-- /topology -->", begin);
    REQUIRE(end != std::string::npos);
    CAPTURE(page);
    CHECK(text.substr(begin + opening.size(), end - begin - opening.size()) == broker::topology_markdown());
  }
  CHECK(shown > 0);
}
