// The real postroom-imap_poller with a real broker and a real Dovecot; the test plays the ledger.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "tests/component/imap_poller/stage.hpp"

using namespace postroom;
using namespace postroom::imap_poller;
using fixtures::Dovecot;
using messages::PollOutcome;
using messages::ReasonClass;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string mail_number(int number) {
  return fmt::format("From: writer{0}@example.org\r\nSubject: mail {0}\r\n\r\n{1}\r\n", number, std::string(static_cast<std::size_t>(number % 50) * 40, 'x'));
}

std::string tls(const Dovecot& dovecot) { return fmt::format("imaps://localhost:{}", dovecot.tls_port()); }

std::set<std::string> contents(const Stage& stage, const Inbox& inbox) {
  std::set<std::string> bodies;
  for (const auto& mail : inbox.arrivals) bodies.insert(stage.content(mail));
  return bodies;
}

std::set<std::string> deliver(Dovecot& dovecot, int from, int to, std::string_view user = "desk") {
  std::set<std::string> sent;
  for (int i = from; i < to; ++i) {
    sent.insert(mail_number(i));
    dovecot.deliver(user, mail_number(i));
  }
  return sent;
}

}  // namespace

TEST_CASE("500 mails arrive in order, whole, each once, and a new one is pushed") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  auto sent = deliver(dovecot, 0, 500);
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.arrivals.size() == 500; });
  std::int64_t previous = 0;
  for (const auto& mail : inbox.arrivals) {
    CHECK(mail.previous_uid == previous);
    CHECK(mail.uid > previous);
    CHECK(mail.extent == messages::MailExtent::whole);
    CHECK(mail.received_at_us.has_value());
    previous = mail.uid;
  }
  CHECK(inbox.duplicates == 0);
  CHECK(inbox.gaps == 0);
  CHECK(contents(stage, inbox) == sent);
  CHECK(inbox.cursor->last_uid == 500);
  stage.run_until([&] { return inbox.caught_up == 1; });
  CHECK(inbox.words.back().mailbox->exists == 500);
  CHECK(inbox.words.back().mailbox->can_push);

  stage.run_until([&] { return inbox.words.back().stage == "watching"; });
  const auto delivered = SystemClock{}.steady();
  deliver(dovecot, 500, 501);
  stage.run_until([&] { return inbox.arrivals.size() == 501; });
  CHECK(SystemClock{}.steady() - delivered < seconds{5});
  CHECK(inbox.arrivals.back().previous_uid == 500);

  // SIGTERM releases the mailbox, and the job is acknowledged.
  const auto told = SystemClock{}.steady();
  worker->send_signal(SIGTERM);
  CHECK(worker->wait() == 0);
  CHECK(SystemClock{}.steady() - told < seconds{5});
  stage.run_until([&] { return inbox.ends.size() == 1; });
  CHECK(inbox.ends[0].outcome == PollOutcome::released);
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("the lease ends at its time and the next one goes on after the last mail") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(fmt::format("imap://localhost:{}", dovecot.port()));  // STARTTLS
  inbox.lease_ms = 1'500;
  deliver(dovecot, 0, 3);
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.ends.size() == 1; });
  CHECK(inbox.ends[0].outcome == PollOutcome::done);
  CHECK(inbox.arrivals.size() == 3);
  deliver(dovecot, 3, 5);
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.ends.size() == 2; });
  CHECK(inbox.arrivals.size() == 5);
  CHECK(inbox.duplicates == 0);
  CHECK(inbox.arrivals[3].previous_uid == 3);
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("an inbox without push is looked at once; a changed one is left; an old dispatch is dropped") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  inbox.is_push = false;
  deliver(dovecot, 0, 2);
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.ends.size() == 1; });
  CHECK(inbox.caught_up == 1);
  CHECK(inbox.arrivals.size() == 2);

  inbox.is_push = true;
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.caught_up == 2; });
  inbox.is_stopping = true;
  stage.run_until([&] { return inbox.ends.size() == 2; });
  CHECK(inbox.ends[1].outcome == PollOutcome::done);

  const auto claims = inbox.claims;
  inbox.token = "held by another";
  stage.dispatch(inbox);
  inbox.token = "held by another";
  stage.run_until([&] { return inbox.claims > claims; });
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
  CHECK(inbox.ends.size() == 2);
}

TEST_CASE("only mail since a time, and the others are counted") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  deliver(dovecot, 0, 4);
  inbox.since_us = to_micros(SystemClock{}.wall()) + 3'600'000'000;
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.caught_up == 1; });
  CHECK(inbox.arrivals.empty());
  CHECK(inbox.words.back().older_count == 4);
}

TEST_CASE("chores: flag, move and delete, of the grant and of later answers") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  deliver(dovecot, 0, 4);
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.caught_up == 1; });
  const auto validity = inbox.cursor->uid_validity;
  inbox.chores = {{"seen", validity, 1, messages::ChoreVerb::flag, "\\Seen"},
                  {"moved", validity, 2, messages::ChoreVerb::move, "Archive"},
                  {"lost", validity, 3, messages::ChoreVerb::move, "No such folder"},
                  {"gone", validity, 4, messages::ChoreVerb::erase, ""},
                  {"other", validity + 1, 1, messages::ChoreVerb::erase, ""}};
  stage.run_until([&] { return inbox.chores.empty(); });
  std::map<std::string, messages::ChoreResult> results;
  for (const auto& report : inbox.reports) results[report.chore_id] = report.result;
  CHECK(results["seen"] == messages::ChoreResult::done);
  CHECK(results["moved"] == messages::ChoreResult::done);
  CHECK(results["lost"] == messages::ChoreResult::failed);
  CHECK(results["gone"] == messages::ChoreResult::done);
  CHECK(results["other"] == messages::ChoreResult::refused);
  stage.run_until([&] { return inbox.words.back().mailbox->exists == 2; });
  CHECK(inbox.arrivals.size() == 4);
}

TEST_CASE("a new UIDVALIDITY: everything arrives again, under new names") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  inbox.is_push = false;
  deliver(dovecot, 0, 5);
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.ends.size() == 1; });
  const auto before = inbox.cursor->uid_validity;
  for (std::size_t tries = 1; tries < 40 && inbox.cursor->uid_validity == before; ++tries) {
    stage.run_for(milliseconds{300});  // it is made from the time in seconds
    dovecot.reset_uids("desk");
    stage.dispatch(inbox);
    stage.run_until([&] { return inbox.ends.size() == tries + 1; });
  }
  CHECK(inbox.cursor->uid_validity != before);
  CHECK(inbox.cursor->last_uid == 5);
  CHECK(inbox.arrivals.size() == 10);
  CHECK(contents(stage, inbox).size() == 5);
  CHECK(inbox.arrivals[5].previous_uid == 0);
}

TEST_CASE("twenty mailboxes at once, and many mails through a small window of memory") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Stage stage{dovecot.certificate()};
  std::vector<Inbox*> inboxes;
  for (int i = 0; i < 20; ++i) {
    Inbox& inbox = stage.inbox(tls(dovecot));
    inbox.user = fmt::format("user{}", i);
    for (int k = 0; k < 5; ++k) dovecot.deliver(inbox.user, mail_number(k));
    inboxes.push_back(&inbox);
  }
  const std::string large = "Subject: large\r\n\r\n" + std::string(5'000'000, 'x');
  for (int k = 0; k < 20; ++k) dovecot.deliver("user0", large + std::to_string(k));
  const auto worker = stage.start_worker();
  for (auto* inbox : inboxes) stage.dispatch(*inbox);
  stage.run_until([&] {
    return std::ranges::all_of(inboxes, [](const Inbox* inbox) { return inbox->caught_up >= 1; });
  }, seconds{60});
  for (auto* inbox : inboxes) CHECK(inbox->arrivals.size() == (inbox == inboxes[0] ? 25 : 5));
  std::ifstream status{fmt::format("/proc/{}/status", worker->pid())};
  long peak_kib = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) peak_kib = std::stol(line.substr(6));
  }
  MESSAGE("peak memory of the poller: ", peak_kib / 1024, " MiB");
  CHECK(peak_kib > 0);
  CHECK(peak_kib < 80 * 1024);  // 100 MB went through
}
