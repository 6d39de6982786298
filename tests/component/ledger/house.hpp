#pragma once
// A whole ledger on a real database, with a broker whose every word the test speaks, and a clock that the test turns.

#include <doctest/doctest.h>

#include <memory>

#include "common/codec/codec.hpp"
#include "common/store/reading.hpp"
#include "common/store/table.hpp"
#include "tests/support/fake_broker.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/scratch.hpp"
#include "workers/ledger/rounds.hpp"

namespace postroom::ledger {

// Passes everything on; fails what the test wants to fail.
class WatchedDatabase final : public store::Database {
 public:
  explicit WatchedDatabase(std::unique_ptr<store::Database> real) : real_(std::move(real)) {}
  Result<void> run_script(std::string_view sql) override { return real_->run_script(sql); }
  Result<void> execute(std::string_view sql, std::span<const store::Value> values) override {
    if (!failing_text.empty() && sql.find(failing_text) != std::string_view::npos) return Error{failing_code, "planted", failing_place};
    return real_->execute(sql, values);
  }
  Result<void> query(std::string_view sql, std::span<const store::Value> values, const std::function<void(const store::Row&)>& each) override {
    if (on_query) on_query(sql);
    return real_->query(sql, values, each);
  }
  std::int64_t changed_rows() const override { return real_->changed_rows(); }
  Result<void> begin() override { return real_->begin(); }
  Result<void> commit() override {
    if (commits_to_fail > 0) {
      --commits_to_fail;
      (void)real_->rollback();
      return Error{Code::io, "planted", failing_place};
    }
    auto done = real_->commit();
    if (done && on_commit) on_commit();
    return done;
  }
  Result<void> rollback() override { return real_->rollback(); }
  Result<void> savepoint() override { return real_->savepoint(); }
  Result<void> release_savepoint() override { return real_->release_savepoint(); }
  Result<void> rollback_to_savepoint() override { return real_->rollback_to_savepoint(); }
  using store::Database::execute;
  using store::Database::query;

  int commits_to_fail = 0;
  std::string failing_text;
  Code failing_code = Code::conflict;
  std::string failing_place = "disk full";
  std::function<void()> on_commit;
  std::function<void(std::string_view sql)> on_query;

 private:
  std::unique_ptr<store::Database> real_;
};

struct House {
  fakes::ScratchFolder folder;
  Config config;
  fakes::ManualClock clock;
  fakes::CountingIds ids;
  WatchedDatabase database{fakes::new_database(folder.path() / "db")};
  fakes::FakePublisher publisher;
  fakes::FakeConsumer consumer;
  std::unique_ptr<store::Reading> reading;
  std::unique_ptr<Rounds> rounds;
  std::optional<Error> died;
  std::uint64_t last_tag = 0;
  int last_name = 0;

  House() {
    config.installation.id = "11111111-1111-4111-8111-111111111111";
    config.api.public_url = "https://desk.example";
    auto opened = store::open_reading(folder.path() / "db");
    REQUIRE(opened.ok());
    reading = std::move(*opened);
    start();
  }

  // A new process on the same database. What the old one held in memory is gone.
  void start() {
    publisher.waiting.clear();
    rounds = std::make_unique<Rounds>(Ports{database, publisher, consumer, clock, ids, [] { return 0.5; }}, config, [] {}, [this](const Error& error) { died = error; });
    REQUIRE(rounds->open().ok());
  }
  void die() {
    rounds.reset();
    start();
  }

  // Turns until there is nothing to do at this moment; the broker takes what it is given.
  void settle(bool is_confirming = true) {
    for (int i = 0; i < 200; ++i) {
      const auto next = rounds->turn();
      if (is_confirming && !publisher.waiting.empty()) {
        publisher.answer_all();
        continue;
      }
      if (!next || next->count() > 0) return;
    }
    FAIL("the ledger does not come to rest");
  }
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    settle();
  }

  broker::Delivery delivery(std::string_view type, std::string body, std::string_view user, std::string_view queue, std::string id = {}) {
    broker::Delivery out;
    out.tag = ++last_tag;
    out.queue = queue;
    out.exchange = queue == "ledger.results" ? "result" : queue == "standby" ? "standby" : "cmd";
    out.envelope.message_id = id.empty() ? ids.next() : std::move(id);
    out.envelope.type = type;
    out.envelope.correlation_id = out.envelope.message_id;
    out.envelope.user_id = user;
    out.envelope.reply_to = queue == "ledger.intake" ? "" : "reply.test";
    out.envelope.timestamp = clock.wall();
    out.body = std::move(body);
    return out;
  }
  void arrive(broker::Delivery one) {
    std::vector<broker::Delivery> burst;
    burst.push_back(std::move(one));
    rounds->arrived(std::move(burst));
  }

  // A command of the api; its answer.
  template <class M>
  messages::CommandReplied command(const M& message, std::string id = {}) {
    arrive(delivery(M::type, codec::encode(message), "api", "ledger.now", std::move(id)));
    settle();
    auto replies = publisher.take(messages::CommandReplied::type);
    REQUIRE(replies.size() == 1);
    auto reply = codec::decode<messages::CommandReplied>(replies[0].body);
    REQUIRE(reply.ok());
    return *reply;
  }
  template <class M>
  void result(const M& message) {
    arrive(delivery(M::type, codec::encode(message), "jira", "ledger.results"));
    settle();
  }

  void make_connection(std::string id) {
    CHECK(command(messages::ConnectionCreate{id, "ada", "connection " + id, messages::ConnectionKind::jira, "https://x", "ada@example", "sealed"}).status == 201);
  }
  void make_board(std::string id, std::string connection) {
    messages::BoardCreate create{id, "ada", "board " + id, true, {}, {}};
    if (!connection.empty()) {
      create.target.kind = messages::TargetKind::jira;
      create.target.connection_id = std::move(connection);
      create.target.jira = messages::JiraMapping{"SUP", "Task", {}, {}};
    }
    CHECK(command(create).status == 201);
  }

  // A post; the promised ticket's id.
  std::string post(std::string board, bool is_settled = true) {
    messages::TicketOpen message;
    message.ticket_id = ids.next();
    message.board_id = std::move(board);
    message.actor = "public";
    message.title = "It smokes";
    arrive(delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake"));
    if (is_settled) settle();
    return message.ticket_id;
  }

  // What a worker would have taken from its queue since the last call.
  std::vector<messages::JiraCreate> jobs(std::string_view type = "jira.create.v1") {
    std::vector<messages::JiraCreate> taken;
    for (const auto& message : publisher.take(type)) {
      auto job = codec::decode<messages::JiraCreate>(message.body);
      REQUIRE(job.ok());
      taken.push_back(*job);
    }
    return taken;
  }
  messages::ClaimAnswered claim(const messages::JiraCreate& job, std::string token = "token") {
    result(messages::WorkClaim{job.delivery_id, job.dispatch_no, std::move(token), "jira-1"});
    auto answers = publisher.take(messages::ClaimAnswered::type);
    REQUIRE(answers.size() == 1);
    auto answer = codec::decode<messages::ClaimAnswered>(answers[0].body);
    REQUIRE(answer.ok());
    return *answer;
  }
  void report(const messages::JiraCreate& job, messages::Outcome outcome, messages::ReasonClass reason = messages::ReasonClass::none, std::string token = "token") {
    messages::WorkOutcome message;
    message.delivery_id = job.delivery_id;
    message.dispatch_no = job.dispatch_no;
    message.token = std::move(token);
    message.outcome = outcome;
    message.reason_class = reason;
    if (outcome != messages::Outcome::done) message.reason = "because";
    if (outcome == messages::Outcome::done) {
      const int number = ++last_name;
      message.remote = messages::Remote{"id-" + std::to_string(number), "SUP-" + std::to_string(number), "https://x/SUP", number};
    }
    result(message);
  }

  store::TicketView ticket(const std::string& id) {
    auto view = reading->ticket(id);
    REQUIRE(view.ok());
    REQUIRE(view->has_value());
    return **view;
  }
  std::int64_t number(std::string_view sql) {
    std::int64_t value = -1;
    REQUIRE(database.query(sql, {}, [&](const store::Row& row) { value = row.integer(0); }).ok());
    return value;
  }
  void check_balance() {
    const auto balance = reading->balance();
    REQUIRE(balance.ok());
    CHECK(balance->accepted == balance->opened + balance->standby + balance->deleted + balance->received + balance->reply + balance->duplicate + balance->bounce + balance->own);
    CHECK(balance->opened == number("SELECT COUNT(*) FROM tickets"));
    CHECK(balance->accepted == number("SELECT SUM(value) FROM counters WHERE name LIKE 'arrivals_%' AND name <> 'arrivals_accepted'"));
    CHECK(number("SELECT COALESCE(SUM(in_flight), 0) FROM destinations") == balance->dispatched + balance->claimed);
  }
};

}  // namespace postroom::ledger
