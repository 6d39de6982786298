// The real postroom-notifier process with a real broker and an SMTP server that fails on request; the test plays the ledger.

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "tests/component/notifier/stage.hpp"

using namespace postroom;
using namespace postroom::notifier;
using messages::ClaimVerdict;
using messages::Outcome;
using messages::ReasonClass;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string message_id_of(const std::string& content) {
  const auto begin = content.find("Message-ID: <") + 13;
  return content.substr(begin, content.find('>', begin) - begin);
}

}  // namespace

TEST_CASE("each delivery is one mail under its own signed Message-ID, and the queue is empty") {
  Stage stage;
  const auto worker = stage.start_worker();
  std::map<std::string, std::string> deliveries;  // recipient → delivery
  for (int i = 0; i < 30; ++i) {
    const std::string recipient = "ann" + std::to_string(i) + "@example.org";
    deliveries[recipient] = stage.tell(recipient);
  }
  stage.run_until([&] { return stage.outcomes.size() == 30; });
  const auto mails = stage.smtp.mails();
  REQUIRE(mails.size() == 30);
  CHECK(stage.committed().size() == 30);
  for (const auto& mail : mails) {
    const std::string delivery = deliveries.at(mail.recipients.at(0));
    const auto signed_id = mail::verify_message_id(message_id_of(mail.content), mail::message_id_host(installation), stage.hmac());
    REQUIRE(signed_id.has_value());
    CHECK(signed_id->delivery_id == delivery);
    CHECK(signed_id->ticket_id == ticket);
    const auto* outcome = stage.outcome_of(delivery);
    REQUIRE(outcome != nullptr);
    CHECK(outcome->outcome == Outcome::done);
    REQUIRE(outcome->remote.has_value());
    CHECK(outcome->remote->id == message_id_of(mail.content));
    CHECK(outcome->reason == "250 2.0.0 OK, queued as 42");
  }
  worker->send_signal(SIGTERM);
  CHECK(worker->wait() == 0);
  stage.run_until_empty();
}

TEST_CASE("what a server does is told as what it means") {
  struct Row {
    const char* recipient;
    Outcome outcome;
    ReasonClass reason_class;
    std::size_t mails, commits;
  };
  const Row rows[] = {{"later-450@example.org", Outcome::defer, ReasonClass::recipient_refused, 0, 0},
                      {"refused-550@example.org", Outcome::refuse, ReasonClass::recipient_refused, 0, 0},
                      {"relay-530@example.org", Outcome::refuse, ReasonClass::credentials, 0, 0},
                      {"data-451@example.org", Outcome::defer, ReasonClass::server_error, 0, 0},
                      {"data-554@example.org", Outcome::refuse, ReasonClass::invalid_data, 0, 0},
                      {"dot-451@example.org", Outcome::defer, ReasonClass::server_error, 0, 1},
                      {"dot-554@example.org", Outcome::refuse, ReasonClass::invalid_data, 0, 1},
                      {"drop-after-dot@example.org", Outcome::unknown, ReasonClass::unreachable, 0, 1},
                      {"accept-then-drop@example.org", Outcome::unknown, ReasonClass::unreachable, 1, 1},
                      {"hang-after-dot@example.org", Outcome::unknown, ReasonClass::timeout, 1, 1},
                      {"slow-after-dot@example.org", Outcome::done, ReasonClass::none, 1, 1},
                      {"nobody", Outcome::refuse, ReasonClass::recipient_refused, 0, 0}};
  Stage stage;
  const auto worker = stage.start_worker();
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(stage.tell(row.recipient));
  stage.run_until([&] { return stage.outcomes.size() == std::size(rows); });
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const Row& row = rows[i];
    CAPTURE(row.recipient);
    const auto* outcome = stage.outcome_of(ids[i]);
    REQUIRE(outcome != nullptr);
    CAPTURE(outcome->reason);
    CHECK(outcome->outcome == row.outcome);
    CHECK(outcome->reason_class == row.reason_class);
    CHECK(stage.mails_to(row.recipient) == row.mails);
    CHECK(stage.committed().count(ids[i]) == row.commits);
  }
}

TEST_CASE("a server that leaves while the mail is held: certain, not in doubt") {
  Stage stage;
  stage.on_commit = [](const auto&) { return std::nullopt; };  // the ledger thinks longer than the server waits
  const auto worker = stage.start_worker();
  const auto id = stage.tell("leave-while-held@example.org");
  stage.run_until([&] { return stage.outcome_of(id) != nullptr; });
  CHECK(stage.outcome_of(id)->outcome == Outcome::defer);
  CHECK(stage.outcome_of(id)->reason_class == ReasonClass::unreachable);
}

TEST_CASE("a commit that is told to drop, and one that is not answered, send nothing") {
  Stage stage;
  stage.on_commit = [](const auto&) { return ClaimVerdict::drop; };
  const auto worker = stage.start_worker();
  stage.tell("ann@example.org");
  stage.run_until([&] { return stage.smtp.count("cut") == 1; });
  stage.run_until_empty();
  CHECK(stage.outcomes.empty());

  stage.on_commit = [](const auto&) { return std::nullopt; };
  const auto id = stage.tell("bob@example.org");
  stage.run_until([&] { return stage.outcome_of(id) != nullptr; });
  CHECK(stage.outcome_of(id)->outcome == Outcome::not_sent);
  stage.run_until([&] { return stage.smtp.count("cut") == 2; });
  CHECK(stage.smtp.mails().empty());
}

TEST_CASE("kill -9 between the held mail and the ledger's word: none is sent, and the next dispatch sends one") {
  Stage stage;
  std::unique_ptr<support::Child> victim = stage.start_worker();
  stage.on_commit = [&](const auto&) -> std::optional<ClaimVerdict> {
    victim->send_signal(SIGKILL);
    return ClaimVerdict::send;  // noted, and answered to nobody
  };
  const auto id = stage.tell("ann@example.org");
  stage.run_until([&] { return victim->has_ended() && stage.smtp.count("cut") == 1; });
  CHECK(stage.smtp.mails().empty());
  stage.on_commit = [](const auto&) { return ClaimVerdict::send; };
  const auto next = stage.start_worker();
  stage.run_until_empty();  // the old dispatch comes again, and is dropped
  CHECK(stage.smtp.mails().empty());
  stage.dispatch(id, 2);
  stage.run_until([&] { return stage.outcome_of(id) != nullptr; });
  CHECK(stage.outcome_of(id)->outcome == Outcome::done);
  CHECK(stage.mails_to("ann@example.org") == 1);
}

TEST_CASE("a worker killed at any point: none before the ledger's word, at most one behind it") {
  struct Row {
    std::string point;
    std::size_t commits, least, most;  // mails
  };
  const Row rows[] = {{"worker_before_claim", 1, 1, 1}, {"worker_after_claim", 0, 0, 0}, {"worker_before_send", 0, 0, 0}, {"worker_held", 0, 0, 0},
                      {"worker_before_dot", 1, 0, 0},   {"worker_after_dot", 1, 0, 1},   {"worker_after_reply", 1, 1, 1},
                      {"worker_before_outcome", 1, 1, 1}, {"worker_after_outcome", 1, 1, 1}, {"worker_before_ack", 1, 1, 1}};
  Stage stage;
  for (const auto& row : rows) {
    CAPTURE(row.point);
    const std::string recipient = row.point + "@example.org";
    const auto victim = stage.start_worker({"POSTROOM_CRASH_AT=" + row.point});
    const auto id = stage.tell(recipient);
    stage.run_until([&] { return victim->has_ended(); });
    CHECK(victim->wait() == 137);
    const auto next = stage.start_worker();
    stage.run_until_empty();
    CHECK(stage.committed().count(id) == row.commits);
    CHECK(stage.mails_to(recipient) >= row.least);
    CHECK(stage.mails_to(recipient) <= row.most);
  }
}

TEST_CASE("under kills at any time every delivery is one mail, but for those in doubt, which are none or one") {
  Stage stage{{"--after-dot", "0.05"}};  // long enough to be hit
  std::vector<std::string> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(stage.tell("ann" + std::to_string(i) + "@example.org"));
  int kills = 0;
  std::unique_ptr<support::Child> worker;
  const auto is_open = [&](const std::string& id) { return stage.outcome_of(id) == nullptr; };
  for (std::int64_t round = 1; round <= 12; ++round) {
    worker = stage.start_worker();
    stage.run_until([&] { return !stage.claims.empty(); });
    stage.claims.clear();
    if (round < 12) {
      stage.run_for(milliseconds{17 * round});
      worker->send_signal(SIGKILL);
      worker->wait();
      ++kills;
      stage.run_for(milliseconds{150});
    }
    // The ledger's clock: what was neither committed nor reported is given out again.
    for (const auto& id : ids) {
      if (is_open(id) && !stage.committed().contains(id)) stage.dispatch(id, round + 1);
    }
    if (std::ranges::none_of(ids, [&](const auto& id) { return is_open(id) && !stage.committed().contains(id); })) break;
  }
  if (worker->has_ended()) worker = stage.start_worker();
  stage.run_until([&] { return std::ranges::all_of(ids, [&](const auto& id) { return !is_open(id) || stage.committed().contains(id); }); });
  stage.run_until_empty();
  std::size_t in_doubt = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto mails = stage.mails_to("ann" + std::to_string(i) + "@example.org");
    if (is_open(ids[i])) {
      ++in_doubt;
      CHECK(mails <= 1);
    } else {
      CHECK(stage.outcome_of(ids[i])->outcome == Outcome::done);
      CHECK(mails == 1);
    }
  }
  MESSAGE(kills << " kills, " << in_doubt << " of " << ids.size() << " in doubt");
  CHECK(kills > 0);
}

TEST_CASE("SIGTERM breaks off what is held, awaits what has left, and is out within ten seconds") {
  Stage stage;
  stage.on_commit = [](const auto&) { return std::nullopt; };
  {
    const auto worker = stage.start_worker();
    const auto held = stage.tell("ann@example.org");
    stage.run_until([&] { return std::ranges::count(stage.smtp.lines(), "DATA") == 1; });
    worker->send_signal(SIGTERM);
    stage.run_until([&] { return stage.outcome_of(held) != nullptr; });
    CHECK(stage.outcome_of(held)->outcome == Outcome::not_sent);
    CHECK(worker->wait() == 0);
    CHECK(stage.smtp.mails().empty());
  }
  stage.on_commit = [](const auto&) { return ClaimVerdict::send; };
  for (const auto& [recipient, outcome] : {std::pair{"slow-after-dot@example.org", Outcome::done}, {"hang-after-dot@example.org", Outcome::unknown}}) {
    CAPTURE(recipient);
    const auto worker = stage.start_worker();
    const auto id = stage.tell(recipient);
    stage.run_until([&] { return stage.mails_to(recipient) == 1; });
    const auto told = SystemClock{}.steady();
    worker->send_signal(SIGTERM);
    stage.run_until([&] { return stage.outcome_of(id) != nullptr; });
    CHECK(stage.outcome_of(id)->outcome == outcome);
    CHECK(worker->wait() == 0);
    CHECK(SystemClock{}.steady() - told < seconds{10});
  }
}

TEST_CASE("one server that hangs does not slow the mails of another") {
  Stage stage;
  support::SmtpServer silent{{"--silent"}};
  const auto worker = stage.start_worker();
  stage.site = [&] { return stage.site_of(silent.url()); };
  std::vector<std::string> stuck;
  for (int i = 0; i < 20; ++i) stuck.push_back(stage.tell("ann@example.org"));
  stage.run_until([&] { return stage.claims.size() >= 20; });
  stage.site = [&] { return stage.site_of(stage.smtp.url()); };
  const auto begin = SystemClock{}.steady();
  const auto id = stage.tell("bob@example.org");
  stage.run_until([&] { return stage.outcome_of(id) != nullptr; });
  CHECK(SystemClock{}.steady() - begin < milliseconds{1'500});
  CHECK(stage.outcome_of(stuck[0]) == nullptr);
  stage.run_until([&] { return stage.outcomes.size() == 21; });
  CHECK(stage.outcome_of(stuck[0])->reason_class == ReasonClass::timeout);
}

TEST_CASE("connection tests tell what is wrong, without a claim and without a mail") {
  Stage stage{{"--tls", "starttls", "--login", "desk@desk.example:smtp-secret"}};
  support::SmtpServer without_tls, wrong_name{{"--tls", "implicit", "--certificate", "other"}};
  stage.trust(stage.smtp.ca_file());
  const auto worker = stage.start_worker();
  struct Row {
    messages::Site site;
    bool passed;
    const char* last_check;
    ReasonClass reason_class;
  };
  const Row rows[] = {{stage.site_of(stage.smtp.url()), true, "sender", ReasonClass::none},
                      {stage.site_of(without_tls.url()), true, "sender", ReasonClass::none},
                      {stage.site_of(stage.smtp.url(), "desk@desk.example", "wrong"), false, "log in", ReasonClass::credentials},
                      {stage.site_of(stage.smtp.url("smtps")), false, "certificate", ReasonClass::unreachable},
                      {stage.site_of(wrong_name.url("smtps")), false, "certificate", ReasonClass::certificate},
                      {stage.site_of("smtp://127.0.0.1:1"), false, "reach", ReasonClass::unreachable},
                      {stage.site_of("smtp://10.255.255.1"), false, "reach", ReasonClass::blocked_address},
                      {stage.site_of("smtp://no-such-host.invalid"), false, "reach", ReasonClass::unreachable},
                      {stage.site_of("https://mail.example.org"), false, "reach", ReasonClass::invalid_data}};
  for (const auto& row : rows) {
    CAPTURE(row.site.base_url);
    const auto id = stage.test_connection(row.site);
    stage.run_until([&] { return std::ranges::find(stage.tests, id, &messages::TestOutcome::test_id) != stage.tests.end(); });
    const auto& test = *std::ranges::find(stage.tests, id, &messages::TestOutcome::test_id);
    CAPTURE(test.summary);
    CHECK(test.passed == row.passed);
    CHECK(test.checks.back().name == row.last_check);
    CHECK(test.reason_class == row.reason_class);
    CHECK(test.summary.find("smtp-secret") == std::string::npos);
  }
  CHECK(stage.claims.empty());
  CHECK(stage.smtp.mails().empty());
  CHECK(stage.worker_log().find("smtp-secret") == std::string::npos);
}

TEST_CASE("without its key for Message-IDs it does not start, and says what is missing") {
  Stage stage;
  std::filesystem::remove(stage.home() / "secrets" / "key-message-id");
  CHECK(stage.start_worker()->wait() == 2);
  CHECK(stage.worker_log().find("key-message-id") != std::string::npos);
}

TEST_CASE("after many mails a worker is small and sleeps") {
  Stage stage;
  const auto worker = stage.start_worker();
  for (int i = 0; i < 100; ++i) stage.tell("ann@example.org");
  stage.run_until([&] { return stage.outcomes.size() == 100; });
  const std::string proc = "/proc/" + std::to_string(worker->pid());
  const auto sum_of = [&](const std::string& file, std::string_view name) {
    long sum = 0;
    std::ifstream lines{proc + file};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name)) sum += std::stol(line.substr(line.find_first_of("0123456789")));
    }
    return sum;
  };
  const auto descriptors = std::distance(std::filesystem::directory_iterator{proc + "/fd"}, std::filesystem::directory_iterator{});
  const long before = sum_of("/status", "voluntary_ctxt_switches");
  stage.run_for(seconds{3});
  const long woken = sum_of("/status", "voluntary_ctxt_switches") - before;
  const long private_kib = sum_of("/smaps_rollup", "Private_");
  MESSAGE("private " << private_kib << " KiB, woken " << woken << " times in 3 s, " << descriptors << " descriptors");
  CHECK(woken < 20);
  CHECK(descriptors < 40);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(private_kib < 12'288);
#endif
}
