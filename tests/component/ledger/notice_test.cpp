// Mails to people on a real database: caused, paced, in order, committed, in doubt.

#include "tests/component/ledger/post_house.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::Outcome;
using messages::PollOutcome;
using messages::ReasonClass;
using store::DeliveryState;

TEST_CASE("a ticket is confirmed, its states and comments are told, each mail quoting the ones before") {
  PostHouse house;
  house.make_doors();
  const auto ticket = house.open("Ann@Customer.example");
  auto jobs = house.mails();
  REQUIRE(jobs.size() == 1);
  CHECK(house.mail(jobs[0].delivery_id).kind == "mail");
  CHECK(house.send(jobs[0]).kind == messages::NoticeKind::confirmation);
  CHECK(house.number("SELECT COUNT(*) FROM mail_threads") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM participants WHERE address = 'ann@customer.example'") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM external_tickets") == 0);

  house.set_state(ticket, messages::TicketState::in_progress);
  house.say_to(ticket, "Try again.");
  jobs = house.mails();
  REQUIRE(jobs.size() == 1);  // one after the other
  auto notice = house.send(jobs[0]);
  CHECK(notice.kind == messages::NoticeKind::state);
  CHECK(notice.references.size() == 1);
  jobs = house.mails();
  REQUIRE(jobs.size() == 1);
  notice = house.send(jobs[0]);
  CHECK(notice.kind == messages::NoticeKind::comment);
  CHECK(notice.comment_text == "Try again.");
  CHECK(notice.references.size() == 2);
  CHECK_FALSE(house.ticket(ticket).delivery.has_value());  // a mail is not what became of the ticket
  house.check_balance();
}

TEST_CASE("a mail that waits holds up only those to the same person about the same ticket") {
  PostHouse house;
  house.make_doors();
  const auto first = house.open("ann@customer.example");
  const auto job = house.mails().at(0);
  house.claim_mail(job);
  house.outcome(job, Outcome::defer, ReasonClass::rate_limited);
  house.set_state(first, messages::TicketState::in_progress);  // goes behind the confirmation
  CHECK(house.mails().empty());
  house.open("bob@customer.example");
  house.pass(std::chrono::seconds{1});
  house.open("ann@customer.example");  // another ticket of hers
  auto jobs = house.mails();
  std::vector<std::string> recipients;
  for (const auto& one : jobs) recipients.push_back(house.mail(one.delivery_id).recipient);
  CHECK(std::ranges::count(recipients, "bob@customer.example") == 1);
  CHECK(std::ranges::count(recipients, "ann@customer.example") >= 1);
  for (const auto& one : jobs) house.send(one);
  // In the end all are out, in order.
  for (int i = 0; i < 10; ++i) {
    house.pass(std::chrono::seconds{30});
    for (const auto& one : house.mails()) house.send(one);
  }
  CHECK(house.number("SELECT COUNT(*) FROM deliveries WHERE state = 'done'") == 4);
  CHECK(house.number("SELECT COUNT(*) FROM deliveries a JOIN deliveries b ON a.ticket_id = b.ticket_id AND a.seq < b.seq AND a.finished_at > b.finished_at") == 0);
  house.check_balance();
}

TEST_CASE("one that goes to the shelf lets the next one pass") {
  PostHouse house;
  house.make_doors();
  const auto ticket = house.open("ann@customer.example");
  house.set_state(ticket, messages::TicketState::in_progress);
  const auto job = house.mails().at(0);
  house.claim_mail(job);
  house.outcome(job, Outcome::refuse, ReasonClass::recipient_refused);
  CHECK(house.mail(job.delivery_id).state == DeliveryState::standby);
  const auto jobs = house.mails();
  REQUIRE(jobs.size() == 1);
  house.send(jobs[0]);
  const auto item = *house.mail(job.delivery_id).standby_id;
  CHECK(house.command(messages::StandbyRetry{item, "ada", {}}).status == 200);
  const auto retried = house.mails();
  REQUIRE(retried.size() == 1);
  house.send(retried[0]);
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'resolved'") == 1);
  house.check_balance();
}

TEST_CASE("the commit word decides what silence means") {
  PostHouse house;
  house.make_doors();
  house.open("ann@customer.example");
  auto job = house.mails().at(0);
  house.claim_mail(job);
  house.pass(std::chrono::seconds{155});  // before the word: again
  CHECK(house.mail(job.delivery_id).state == DeliveryState::waiting);
  house.pass(std::chrono::seconds{2});
  job = house.mails().at(0);
  house.claim_mail(job);
  CHECK(house.commit_mail(job) == ClaimVerdict::send);
  house.die();
  house.pass(std::chrono::seconds{155});  // after it: assumed
  const auto mail = house.mail(job.delivery_id);
  CHECK(mail.state == DeliveryState::done);
  CHECK(mail.reason_class == ReasonClass::assumed_sent);
  CHECK(house.mails().empty());
  house.outcome(job, Outcome::done);  // late
  CHECK(house.mail(job.delivery_id).reason_class == ReasonClass::none);
  CHECK(house.number("SELECT COUNT(*) FROM mail_threads") == 1);
  house.check_balance();
}

TEST_CASE("a person gets no more than an hour's share; the rest comes later, and others do not wait for it") {
  PostHouse house;
  house.config.notify.hourly_limit = 3;
  house.make_doors();
  for (int i = 0; i < 10; ++i) house.open("ann@customer.example");
  auto jobs = house.mails();
  CHECK(jobs.size() == 3);
  house.open("bob@customer.example");
  auto others = house.mails();
  REQUIRE(others.size() == 1);
  CHECK(house.mail(others[0].delivery_id).recipient == "bob@customer.example");
  for (const auto& job : jobs) house.send(job);
  house.send(others[0]);
  std::vector<std::size_t> by_hour{jobs.size()};
  for (int quarter = 1; quarter <= 16; ++quarter) {
    house.pass(std::chrono::minutes{15});
    if (quarter % 4 == 1) by_hour.push_back(0);
    for (const auto& job : house.mails()) house.send(job), ++by_hour.back();
  }
  CHECK(house.number("SELECT COUNT(*) FROM deliveries WHERE state = 'done'") == 11);
  for (const auto count : by_hour) CHECK(count <= 3);
  // However the hour is cut: the fourth after each is an hour away.
  std::vector<std::int64_t> times;
  REQUIRE(house.database.query("SELECT sent_at FROM deliveries WHERE recipient = 'ann@customer.example' ORDER BY sent_at", {},
                               [&](const store::Row& row) { times.push_back(row.integer(0)); })
              .ok());
  for (std::size_t i = 3; i < times.size(); ++i) CHECK(times[i] - times[i - 3] >= 3600 * PostHouse::second);
  house.check_balance();
}

TEST_CASE("a backlog that waited for a dead server keeps the hour's share too") {
  PostHouse house;
  house.config.notify.hourly_limit = 3;
  house.make_doors();
  messages::ConnectionUpdate update;
  update.connection_id = "smtp";
  update.actor = "ada";
  update.is_paused = true;
  CHECK(house.command(update).status == 200);
  for (int i = 0; i < 5; ++i) {
    for (int k = 0; k < 3; ++k) house.open("ann@customer.example");
    house.pass(std::chrono::hours{2});
  }
  update.is_paused = false;
  CHECK(house.command(update).status == 200);
  CHECK(house.mails().size() == 3);
}

TEST_CASE("one dead server is one row to the others, and credentials shelve what waits") {
  PostHouse house;
  house.make_doors();
  house.pass(std::chrono::seconds{1});  // what is refused now is not about older settings
  for (int i = 0; i < 20; ++i) house.open("person" + std::to_string(i) + "@customer.example");
  auto jobs = house.mails();
  CHECK(jobs.size() == 8);  // the window
  house.claim_mail(jobs[0]);
  house.outcome(jobs[0], Outcome::refuse, ReasonClass::credentials);
  CHECK(house.number("SELECT COUNT(*) FROM deliveries WHERE state = 'standby'") == 13);
  CHECK(house.number("SELECT COUNT(*) FROM deliveries WHERE state = 'dispatched'") == 7);
  CHECK(house.number("SELECT COUNT(*) FROM connections WHERE id = 'smtp' AND state = 'failing'") == 1);
  house.check_balance();
}

TEST_CASE("without a way out nothing is planned, and the ticket says why") {
  PostHouse house;
  house.make_doors();
  messages::SettingsUpdate settings;
  settings.actor = "ada";
  settings.smtp_connection_id = "";
  CHECK(house.command(settings).status == 200);
  const auto ticket = house.open("ann@customer.example");
  CHECK(house.number("SELECT COUNT(*) FROM deliveries") == 0);
  CHECK(house.number("SELECT COUNT(*) FROM history WHERE action = 'not_told'") == 1);
  house.set_state(ticket, messages::TicketState::in_progress);
  CHECK(house.number("SELECT COUNT(*) FROM history WHERE action = 'not_told'") == 1);
}

TEST_CASE("the wall clock moves, mails in the worker's hands do not") {
  PostHouse house;
  house.make_doors();
  house.open("ann@customer.example");
  const auto job = house.mails().at(0);
  house.claim_mail(job);
  house.clock.jump_wall(std::chrono::hours{24});
  house.settle();
  CHECK(house.mail(job.delivery_id).state == DeliveryState::claimed);
  CHECK(house.mail(job.delivery_id).sent_at == 0);
  CHECK(house.commit_mail(job) == ClaimVerdict::send);
  house.clock.jump_wall(-std::chrono::hours{24});
  house.settle();
  house.outcome(job, Outcome::done);
  CHECK(house.mail(job.delivery_id).state == DeliveryState::done);
}

TEST_CASE("a mail that no notifier could take spends an attempt") {
  PostHouse house;
  house.make_doors();
  house.open("ann@customer.example");
  const auto job = house.mails().at(0);
  auto dead = house.delivery(messages::NotifyMail::type, codec::encode(job), "ledger", "standby");
  dead.headers_json = R"({"x-death":[{"reason":"delivery_limit"}]})";
  house.arrive(std::move(dead));
  house.settle();
  CHECK(house.mail(job.delivery_id).state == DeliveryState::waiting);
  CHECK(house.mail(job.delivery_id).attempts == 1);
  CHECK(house.number("SELECT COUNT(*) FROM standby") == 0);
}

TEST_CASE("leases and mails are looked up by index, with many of them") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  const auto ticket = house.open("ann@customer.example");
  std::vector<std::string> asked;
  house.database.on_query = [&](std::string_view sql) {
    if (std::ranges::find(asked, sql) == asked.end()) asked.emplace_back(sql);
  };
  const auto mail = house.mails().at(0);
  house.send(mail);
  house.set_state(ticket, messages::TicketState::in_progress);
  house.say_to(ticket, "Try again.");
  const auto poll = house.polls().at(0);
  house.claim_poll(poll);
  house.say(poll, {{"chore", messages::ChoreResult::done, ""}});
  house.end(poll, PollOutcome::failed, 41);
  CHECK(house.command(messages::InboxPoll{"inbox", "ada"}).status == 200);
  CHECK(house.command(messages::InboxDelete{"inbox", "ada", {}}).status == 200);
  house.database.on_query = nullptr;

  std::size_t seen = 0;
  for (const auto& sql : asked) {
    const bool is_ours = sql.find("deliveries") != std::string::npos || sql.find("inbox") != std::string::npos || sql.find("mail") != std::string::npos;
    if (!is_ours) continue;
    ++seen;
    auto explained = house.database.query("EXPLAIN QUERY PLAN " + sql, {}, [&](const store::Row& row) {
      const std::string step = row.text(3);
      INFO(sql);
      INFO(step);
      // What was found by an index is counted.
      const bool is_result = step == "SCAN jobs" || step == "SCAN recent" || step == "SCAN CONSTANT ROW" || step.find("(subquery") != std::string::npos;
      const bool is_scan = step.starts_with("SCAN") && !is_result;
      CHECK_FALSE(is_scan);
      // Of an inbox's many mails only the undecided are looked at.
      if (step.find("SEARCH mails") == 0 && sql.find("stage = ") != std::string::npos) CHECK(step.find("mails_stage") != std::string::npos);
    });
    CHECK(explained.ok());
  }
  CHECK(seen > 15);
}
