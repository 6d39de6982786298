#include "tests/component/power/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/codec/codec.hpp"
#include "common/messages/all.hpp"

namespace postroom::ledger {

namespace {

constexpr std::string_view desk = "desk", tracked = "tracked", site = "site";
constexpr int steps_in_a_life = 12, most_turns = 300;

// Says that it committed, and does so at the next transaction.
class LateDatabase final : public store::Database {
 public:
  explicit LateDatabase(std::unique_ptr<store::Database> real) : real_(std::move(real)) {}
  Result<void> run_script(std::string_view sql) override { return real_->run_script(sql); }
  Result<void> execute(std::string_view sql, std::span<const store::Value> values) override {
    return real_->execute(sql, values);
  }
  Result<void> query(std::string_view sql, std::span<const store::Value> values,
                     const std::function<void(const store::Row&)>& each) override {
    return real_->query(sql, values, each);
  }
  std::int64_t changed_rows() const override { return real_->changed_rows(); }
  Result<void> begin() override {
    if (is_late_) {
      if (auto done = real_->commit(); !done) return done;
    }
    is_late_ = false;
    return real_->begin();
  }
  Result<void> commit() override {
    is_late_ = true;
    return {};
  }
  Result<void> rollback() override {
    is_late_ = false;
    return real_->rollback();
  }
  Result<void> savepoint() override { return real_->savepoint(); }
  Result<void> release_savepoint() override { return real_->release_savepoint(); }
  Result<void> rollback_to_savepoint() override { return real_->rollback_to_savepoint(); }

 private:
  std::unique_ptr<store::Database> real_;
  bool is_late_ = false;
};

// The ledger's own link to the broker: what it acknowledges is forgotten there, as long as the ledger lives.
class Link final : public broker::Consumer {
 public:
  explicit Link(std::function<void(const std::vector<broker::Delivery>&)> acknowledged)
      : acknowledged_(std::move(acknowledged)) {}
  void subscribe(broker::Subscription) override {}
  void own(broker::OwnQueue) override {}
  void on_deliveries(std::function<void(std::vector<broker::Delivery>)>) override {}
  void on_state(std::function<void(broker::LinkState)>) override {}
  void start() override {}
  void ack(const broker::Delivery& delivery) override { acknowledged_({delivery}); }
  void ack_all(const std::vector<broker::Delivery>& deliveries) override { acknowledged_(deliveries); }
  void reject(const broker::Delivery&, bool) override {}
  void quiet() override {}
  void resume() override {}
  broker::LinkState state() const override { return broker::LinkState::open; }
  std::size_t consuming() const override { return 1; }
  void stop() override {}

 private:
  std::function<void(const std::vector<broker::Delivery>&)> acknowledged_;
};

}  // namespace

struct PowerWorld::Life {
  explicit Life(PowerWorld& world)
      : disk(world.folder_->path(), world.dice_()), link([this, &world](const auto& deliveries) {
          if (!disk.is_cut()) world.acknowledged(deliveries);
        }) {}
  fakes::PowerDisk disk;
  std::unique_ptr<store::Database> database;
  fakes::FakePublisher publisher;
  Link link;
  std::unique_ptr<Rounds> rounds;
};

PowerWorld::PowerWorld(std::uint64_t seed, Plant plant) : dice_(seed), plant_(plant) {
  config_.installation.id = "11111111-1111-4111-8111-111111111111";
  config_.api.public_url = "https://desk.example";
  folder_ = std::make_unique<support::ScratchFolder>();
  send(messages::ConnectionCreate{std::string{site}, "ada", "Site", messages::ConnectionKind::jira, "https://x",
                                  "ada@example", "sealed"},
       "api", "ledger.now", {{"SELECT COUNT(*) FROM connections WHERE id = ?1", std::string{site}, ""}});
  messages::BoardCreate create{std::string{desk}, "ada", "Desk", true, {}, {}};
  send(create, "api", "ledger.now", {{"SELECT COUNT(*) FROM boards WHERE id = ?1", create.board_id, ""}});
  create.board_id = tracked;
  create.name = "Tracked";
  create.target.kind = messages::TargetKind::jira;
  create.target.connection_id = site;
  create.target.jira = messages::JiraMapping{"SUP", "Task", {}, {}};
  send(create, "api", "ledger.now", {{"SELECT COUNT(*) FROM boards WHERE id = ?1", create.board_id, ""}});
}

void PowerWorld::violation(std::string what) {
  violations_.push_back(fmt::format("after cut {}: {}", cuts_, std::move(what)));
}

template <class M>
void PowerWorld::send(const M& message, std::string_view user, std::string_view queue, std::vector<Promise> promises) {
  send(M::type, codec::encode(message), user, queue, std::move(promises));
}

void PowerWorld::send(std::string_view type, std::string body, std::string_view user, std::string_view queue,
                      std::vector<Promise> promises) {
  Held held;
  held.promises = std::move(promises);
  auto& out = held.delivery;
  out.queue = queue;
  out.exchange = queue == "ledger.results" ? "result" : "cmd";
  out.envelope.message_id = ids_.next();
  out.envelope.type = type;
  out.envelope.correlation_id = out.envelope.message_id;
  out.envelope.user_id = user;
  out.envelope.reply_to = queue == "ledger.intake" ? "" : "reply.test";
  out.envelope.timestamp = clock_.wall();
  out.body = std::move(body);
  broker_.push_back(std::move(held));
}

void PowerWorld::deliver(Life& life) {
  std::vector<broker::Delivery> burst;
  for (; delivered_ < broker_.size(); ++delivered_) {
    broker_[delivered_].delivery.tag = ++last_tag_;
    burst.push_back(broker_[delivered_].delivery);
    broker_[delivered_].delivery.redelivered = true;  // the next time
  }
  if (!burst.empty()) life.rounds->arrived(std::move(burst));
}

void PowerWorld::acknowledged(const std::vector<broker::Delivery>& deliveries) {
  for (const auto& delivery : deliveries) {
    const auto held =
        std::find_if(broker_.begin(), broker_.end(), [&](const Held& one) { return one.delivery.tag == delivery.tag; });
    if (held == broker_.end()) return violation("acknowledged twice: " + delivery.envelope.type);
    if (delivery.envelope.type == messages::TicketOpen::type) known_.insert(held->promises.front().id);
    for (auto& promise : held->promises) {
      promise.message_id = delivery.envelope.message_id;
      promises_.push_back(std::move(promise));
    }
    broker_.erase(held);
    --delivered_;
  }
}

// Opens the store, judges what the cut left of it, and starts the ledger on it. False: the power is gone already.
bool PowerWorld::start(Life& life, std::int64_t operations_until_cut) {
  delivered_ = 0;
  is_ended_ = false;
  const bool is_cut_early = operations_until_cut > 0 && below(5) == 0;  // while it recovers
  if (is_cut_early) life.disk.cut_at(1 + static_cast<std::int64_t>(below(60)));
  auto opened = store::open_sqlite_writer((folder_->path() / "db").string());
  auto migrated = opened ? store::migrate(**opened) : Result<void>{opened.error()};
  if (life.disk.is_cut()) return false;
  if (!migrated) {
    violation("the store does not open: " + migrated.error().text());
    return false;
  }
  life.database = std::move(*opened);
  auto& database = *life.database;
  (void)database.run_script(fmt::format("PRAGMA wal_autocheckpoint = {}", below(3) == 0 ? 2'000 : 5 + below(60)));
  if (plant_ == Plant::synchronous_off) (void)database.run_script("PRAGMA synchronous = OFF");
  if (plant_ == Plant::synchronous_normal) (void)database.run_script("PRAGMA synchronous = NORMAL");
  if (!is_cut_early) judge(database);
  if (plant_ == Plant::commit_after_ack) life.database = std::make_unique<LateDatabase>(std::move(life.database));
  if (operations_until_cut > 0 && !is_cut_early) life.disk.cut_at(operations_until_cut);
  life.rounds = std::make_unique<Rounds>(
      Ports{*life.database, life.publisher, life.link, clock_, ids_, [] { return 0.5; }}, config_, [] {},
      [this](const Error&) { is_ended_ = true; });
  const auto started = life.rounds->open();
  if (!started && !life.disk.is_cut()) violation("the ledger does not start: " + started.error().text());
  return started.ok();
}

// Turns until nothing is left to do now. False: the power is gone.
bool PowerWorld::settle(Life& life) {
  for (int i = 0; i < most_turns; ++i) {
    deliver(life);
    const auto next = life.rounds->turn();
    if (life.disk.is_cut()) return false;
    if (is_ended_ || !life.rounds->trouble().empty()) {
      violation("the ledger is in trouble: " + life.rounds->trouble());
      return false;
    }
    worker(life);
    if (!life.publisher.waiting.empty()) {
      life.publisher.answer_all();
      continue;
    }
    if (delivered_ == broker_.size() && (!next || next->count() > 0)) return true;
  }
  violation("the ledger does not come to rest");
  return false;
}

void PowerWorld::post() {
  messages::TicketOpen message;
  message.ticket_id = ids_.next();
  message.board_id = below(3) == 0 ? desk : tracked;
  message.actor = "public";
  message.title = fmt::format("Number {}", posts_.size());
  message.description = std::string(below(9'000), 'x');  // over several pages, too
  posts_.push_back(message.ticket_id);
  send(message, "api", "ledger.intake", {{"SELECT COUNT(*) FROM tickets WHERE id = ?1", message.ticket_id, ""}});
}

void PowerWorld::customers() {
  for (std::size_t i = below(4); i > 0; --i) post();
  if (known_.empty() || below(2) == 0) return;
  auto ticket = known_.begin();
  std::advance(ticket, static_cast<std::ptrdiff_t>(below(known_.size())));
  const messages::TicketComment comment{*ticket, ids_.next(), "ada", {}, false, "It still smokes."};
  send(comment, "api", "ledger.now", {{"SELECT COUNT(*) FROM comments WHERE id = ?1", comment.comment_id, ""}});
}

void PowerWorld::work(const broker::Outgoing& message) {
  const auto job = codec::decode<messages::JiraCreate>(message.body);
  const std::string token = ids_.next();
  tokens_[token] = message.envelope.type;
  send(messages::WorkClaim{job->delivery_id, job->dispatch_no, token, "jira-1"}, "jira", "ledger.results", {});
}

void PowerWorld::answer(const broker::Outgoing& message) {
  const auto answer = codec::decode<messages::ClaimAnswered>(message.body);
  if (answer->verdict != messages::ClaimVerdict::send) return;
  const auto asked = tokens_.extract(answer->token);
  if (asked.empty()) return;  // that answer came already
  promises_.push_back(
      {"SELECT COUNT(*) FROM history WHERE action = 'claimed' AND delivery_id = ?1", answer->delivery_id, ""});
  messages::WorkOutcome outcome;
  outcome.delivery_id = answer->delivery_id;
  outcome.dispatch_no = answer->dispatch_no;
  outcome.token = answer->token;
  int& created = created_[answer->delivery_id];
  if (asked.mapped() == messages::JiraCreate::type && ++created > 1) violation("done twice: " + answer->delivery_id);
  if (created == 0) {
    outcome.outcome = messages::Outcome::not_sent;
    outcome.reason_class = messages::ReasonClass::absent;
    outcome.reason = "not there";
    return send(outcome, "jira", "ledger.results", {});
  }
  outcome.outcome = messages::Outcome::done;
  outcome.remote = messages::Remote{"id-" + answer->delivery_id, "SUP-1", "https://x/SUP", 1};
  send(
      outcome, "jira", "ledger.results",
      {{"SELECT COUNT(*) FROM external_tickets WHERE state = 'linked' AND delivery_id = ?1", answer->delivery_id, ""}});
}

void PowerWorld::worker(Life& life) {
  for (const auto& job : life.publisher.take(messages::JiraCreate::type)) work(job);
  for (const auto& job : life.publisher.take(messages::JiraResolve::type)) work(job);
  for (const auto& message : life.publisher.take(messages::ClaimAnswered::type)) answer(message);
  life.publisher.published.clear();
}

std::int64_t PowerWorld::number(store::Database& database, std::string_view sql, std::string_view parameter) {
  std::int64_t value = -1;
  const store::Value values[] = {parameter};
  const auto asked = database.query(sql, std::span<const store::Value>{values, parameter.empty() ? 0U : 1U},
                                    [&](const store::Row& row) { value = row.integer(0); });
  if (!asked) violation(asked.error().text());
  return value;
}

void PowerWorld::judge(store::Database& database) {
  std::string said;
  const auto asked = database.query("PRAGMA integrity_check", {}, [&](const store::Row& row) { said += row.text(0); });
  if (!asked || said != "ok") violation("integrity_check: " + (asked ? said : asked.error().text()));
  for (const auto& promise : promises_) {
    if (number(database, promise.sql, promise.id) > 0) continue;
    // A message in hand at three cuts in a row is under suspicion, and kept on the shelf.
    if (!promise.message_id.empty() &&
        number(database, "SELECT COUNT(*) FROM standby WHERE reason_class = 'ended_the_ledger' AND subject_id = ?1",
               promise.message_id) > 0)
      continue;
    violation("not there: " + promise.sql + " " + promise.id);
  }
  if (number(database, "SELECT COUNT(*) FROM counters WHERE name LIKE 'arrivals_%'") > 0 &&
      number(database,
             "SELECT SUM(CASE name WHEN 'arrivals_accepted' THEN value ELSE -value END) FROM counters WHERE name LIKE "
             "'arrivals_%'") != 0) {
    violation("the balance does not balance");
  }
}

void PowerWorld::live_until_a_cut() {
  std::unique_ptr<support::ScratchFolder> next;
  {
    Life life{*this};
    if (start(life, 1 + static_cast<std::int64_t>(below(900)))) {
      for (int step = 0; step < steps_in_a_life; ++step) {
        customers();
        if (!settle(life)) break;
        if (below(6) == 0) (void)life.database->run_script("PRAGMA wal_checkpoint(PASSIVE)");
        clock_.advance(std::chrono::seconds{below(20)});
      }
    }
    life.disk.cut();
    ++cuts_;
    next = std::make_unique<support::ScratchFolder>();
    life.disk.leave(next->path());
  }
  folder_ = std::move(next);
}

void PowerWorld::live_on() {
  Life life{*this};
  if (!start(life, 0)) return;
  const auto is_open = [&] {
    return number(*life.database, "SELECT COUNT(*) FROM deliveries WHERE state <> 'done'") > 0;
  };
  for (int i = 0; i < 200 && settle(life) && is_open(); ++i) clock_.advance(std::chrono::seconds{60});
  if (plant_ == Plant::nothing) judge(*life.database);
  judge_end(*life.database);
}

void PowerWorld::judge_end(store::Database& database) {
  const auto count = static_cast<std::int64_t>(posts_.size());
  const std::pair<std::string_view, std::int64_t> expected[] = {
      {"SELECT COUNT(*) FROM tickets", number(database, "SELECT MAX(number) FROM tickets")},
      {"SELECT (SELECT COUNT(*) FROM tickets) + (SELECT COUNT(*) FROM standby WHERE message_type = 'ticket.open.v1')",
       count},
      {"SELECT COUNT(*) FROM standby WHERE reason_class <> 'ended_the_ledger'", 0},
      {"SELECT COUNT(*) FROM outgoing", 0},
      {"SELECT COUNT(*) FROM deliveries WHERE state <> 'done'", 0},
      {"SELECT COUNT(*) FROM external_tickets WHERE state <> 'linked'", 0},
      {"SELECT COUNT(*) FROM external_tickets",
       number(database, "SELECT COUNT(*) FROM tickets WHERE board_id = 'tracked'")},
  };
  for (const auto& [sql, wanted] : expected) {
    if (const auto found = number(database, sql); found != wanted)
      violation(fmt::format("{} says {}, not {}", sql, found, wanted));
  }
  if (!broker_.empty()) violation(fmt::format("{} messages were never acknowledged", broker_.size()));
}

}  // namespace postroom::ledger
