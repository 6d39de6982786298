// The process on a real broker: it starts, serves, hands over, ends, and dies at every named point without losing or doubling anything.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>

#include "api/cli/init.hpp"
#include "common/base/ids.hpp"
#include "common/codec/codec.hpp"
#include "common/store/reading.hpp"
#include "tests/component/broker/bench.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scratch.hpp"

using namespace postroom;
using namespace postroom::bench;
using support::Child;
using support::Rabbit;

namespace {

// A home, an api's voice and ear, and as many ledgers as a case starts.
struct Post {
  fakes::ScratchFolder folder;
  std::filesystem::path home = folder.path() / "home";
  Rabbit& rabbit = Rabbit::shared();
  SystemIds ids;
  Owner owner;
  std::vector<std::unique_ptr<Child>> ledgers;
  std::unique_ptr<Sender> api;
  std::unique_ptr<Receiver> replies;
  std::size_t sent = 0;

  Post() {
    empty_all(rabbit);
    REQUIRE(cli::run_init(cli::InitOptions{.home = home}) == 0);
    std::ofstream{home / "secrets" / "broker-ledger"} << rabbit.endpoint("ledger").password << "\n";
    api = std::make_unique<Sender>(owner, rabbit.endpoint("api"));
    replies = std::make_unique<Receiver>(owner, rabbit.endpoint("api"));
    const std::string own = broker::reply_queue("api", "test");
    replies->consumer->own({own, "reply", {own}, 1'000});
    REQUIRE(api->open());
    REQUIRE(replies->open());
  }

  Child& start(std::vector<std::string> environment = {}) {
    const auto endpoint = rabbit.endpoint("ledger");
    environment.push_back("POSTROOM_ALLOW_ROOT=1");
    environment.push_back("POSTROOM_BROKER_HOST=" + endpoint.host);
    environment.push_back(fmt::format("POSTROOM_BROKER_PORT={}", endpoint.port));
    environment.push_back("POSTROOM_BROKER_VHOST=" + endpoint.vhost);
    environment.push_back("POSTROOM_LEDGER_BEAT_STALE_MS=1000");
    const std::string log = (folder.path() / fmt::format("ledger-{}.log", ledgers.size())).string();
    ledgers.push_back(std::make_unique<Child>(std::vector<std::string>{POSTROOM_BINARY_DIR "/postroom-ledger", "--config", home.string()}, Child::Ending::terminate,
                                              std::move(environment), log));
    return *ledgers.back();
  }

  broker::Outgoing outgoing(std::string_view type, std::string_view key, std::string body) {
    broker::Outgoing out;
    out.exchange = "cmd";
    out.routing_key = key;
    out.envelope.message_id = ids.next();
    out.envelope.type = type;
    out.envelope.correlation_id = out.envelope.message_id;
    out.envelope.timestamp = SystemClock{}.wall();
    out.body = std::move(body);
    return out;
  }

  // A reply is published once and may be lost with the link that it needed, which a ledger that has just started may not have; who waits asks again.
  bool asks_until_answered(broker::Outgoing out, std::chrono::milliseconds time = patience) {
    out.envelope.reply_to = broker::reply_queue("api", "test");
    const auto is_answered = [&] { return std::ranges::any_of(replies->got, [&](const auto& one) { return one.envelope.correlation_id == out.envelope.correlation_id; }); };
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      api->send(out);
      if (owner.until(is_answered, 1s)) return true;
    }
    return false;
  }
  // A command that is answered whatever the state: by whoever serves.
  bool is_answered_within(std::chrono::milliseconds time) {
    return asks_until_answered(outgoing(messages::BoardDelete::type, "now", codec::encode(messages::BoardDelete{"nothing", "ada", {}})), time);
  }

  void make_board(std::string id) {
    REQUIRE(asks_until_answered(outgoing(messages::BoardCreate::type, "now", codec::encode(messages::BoardCreate{id, "ada", "board " + id, true, {}, {}}))));
  }
  void make_site_board(std::string id) {
    messages::BoardCreate board{id, "ada", "board " + id, true, {}, {}};
    board.target.kind = messages::TargetKind::jira;
    board.target.connection_id = "site";
    board.target.jira = messages::JiraMapping{"SUP", "Task", {}, {}};
    api->send(outgoing(messages::ConnectionCreate::type, "now",
                       codec::encode(messages::ConnectionCreate{"site", "ada", "site", messages::ConnectionKind::jira, "https://x", "ada", "sealed"})));
    REQUIRE(asks_until_answered(outgoing(messages::BoardCreate::type, "now", codec::encode(board))));
  }
  void post(const std::string& board) {
    messages::TicketOpen message;
    message.ticket_id = ids.next();
    message.board_id = board;
    message.actor = "public";
    message.title = "It smokes";
    api->send(outgoing(messages::TicketOpen::type, "intake", codec::encode(message)));
    ++sent;
  }

  std::int64_t number(std::string_view sql) {
    auto database = store::open_sqlite_reader((home / "data" / "postroom.sqlite").string(), std::chrono::seconds{1});
    if (!database) return -1;
    std::int64_t value = -1;
    (void)(*database)->query(sql, {}, [&](const store::Row& row) { value = row.integer(0); });
    return value;
  }
  bool has_tickets(std::size_t count, std::chrono::milliseconds limit = patience) {
    return owner.until([&] { return number("SELECT COUNT(*) FROM tickets") >= static_cast<std::int64_t>(count); }, limit);
  }
};

}  // namespace

TEST_CASE("it serves, and ends in order when told to") {
  Post post;
  auto& ledger = post.start();
  CHECK(post.is_answered_within(patience));
  post.make_board("desk");
  for (int i = 0; i < 50; ++i) post.post("desk");
  CHECK(post.has_tickets(50));
  ledger.send_signal(SIGTERM);
  CHECK(ledger.wait() == 0);
  CHECK(post.number("SELECT value = 'yes' FROM installation WHERE name = 'ended_cleanly'") == 1);
  CHECK(depth(post.rabbit, "ledger.intake") == 0);
}

TEST_CASE("a second ledger waits, and serves within ten seconds when the first is killed or stands still") {
  Post post;
  post.start();
  CHECK(post.is_answered_within(patience));
  auto& second = post.start();
  auto* first = post.ledgers[0].get();
  first->send_signal(SIGKILL);
  CHECK(post.is_answered_within(10s));  // some two seconds at rest
  auto& third = post.start();
  CHECK_FALSE(post.owner.until([] { return false; }, 1s));  // it waits meanwhile
  second.send_signal(SIGSTOP);
  CHECK(post.is_answered_within(10s));
  CHECK(second.wait() == 128 + SIGKILL);
  third.send_signal(SIGTERM);
  CHECK(third.wait() == 0);
}

TEST_CASE("it outlives its broker") {
  Post post;
  const support::Restored restored{post.rabbit};
  post.start();
  CHECK(post.is_answered_within(patience));
  post.make_board("desk");
  post.rabbit.kill();
  post.rabbit.start();
  for (int i = 0; i < 20; ++i) post.post("desk");
  CHECK(post.has_tickets(20));
  CHECK(post.is_answered_within(patience));
}

TEST_CASE("whatever the moment of its death, every post is one ticket, every job goes out, nothing is left over") {
  for (const std::string point : {"ledger_after_lock", "ledger_after_open", "consumer_after_read", "ledger_before_apply", "ledger_after_message", "ledger_after_chores",
                                  "ledger_after_dispatch", "ledger_before_commit", "ledger_after_commit", "ledger_after_ack", "ledger_after_replies",
                                  "dispatch_after_commit", "relay_before_publish", "publisher_before_write", "publisher_after_write", "publisher_after_confirm",
                                  "relay_after_confirm", "relay_after_delete", "consumer_before_ack", "consumer_after_ack"}) {
    CAPTURE(point);
    Post post;
    auto& founder = post.start();
    post.make_site_board("board");
    founder.send_signal(SIGTERM);
    REQUIRE(founder.wait() == 0);

    Receiver jobs{post.owner, post.rabbit.endpoint("jira")};
    jobs.consumer->subscribe({"jira", 100});
    REQUIRE(jobs.open());
    const std::size_t answered = post.api->answers.size();
    for (int i = 0; i < 5; ++i) post.post("board");
    REQUIRE(post.api->answered(answered + 5));
    auto& doomed = post.start({"POSTROOM_CRASH_AT=" + point});
    REQUIRE(doomed.wait() == 137);
    auto& next = post.start();
    CHECK(post.has_tickets(5));
    CHECK(post.owner.until([&] { return post.number("SELECT COUNT(*) FROM outgoing") == 0 && depth(post.rabbit, "ledger.intake") == 0; }));
    std::set<std::string> deliveries;
    CHECK(post.owner.until([&] {
      for (const auto& job : jobs.got) deliveries.insert(codec::decode<messages::JiraCreate>(job.body)->delivery_id);
      return deliveries.size() == 5;
    }));
    CHECK(post.number("SELECT COUNT(*) FROM tickets") == 5);
    CHECK(post.number("SELECT value FROM counters WHERE name = 'arrivals_accepted'") == 5);
    CHECK(post.owner.until([&] { return post.number("SELECT COUNT(*) FROM suspects") == 0; }));  // the last of them may be in hand right now
    CHECK(post.number("SELECT in_flight FROM destinations") == 5);
    next.send_signal(SIGTERM);
    CHECK(next.wait() == 0);
  }
}
