// What goes wrong: wrong settings, servers that break off, killed pollers, a broker that goes.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/component/imap_poller/hostile_server.hpp"
#include "tests/component/imap_poller/stage.hpp"

using namespace postroom;
using namespace postroom::imap_poller;
using fixtures::Dovecot;
using messages::MailExtent;
using messages::PollOutcome;
using messages::ReasonClass;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string tls(const Dovecot& dovecot) { return fmt::format("imaps://localhost:{}", dovecot.tls_port()); }

std::string mail_number(int number) { return fmt::format("Subject: mail {0}\r\n\r\nbody of mail {0}\r\n", number); }

std::string checks_of(const messages::TestOutcome& outcome) {
  std::string text;
  for (const auto& check : outcome.checks) text += (check.passed ? "+" : "-") + check.name + " ";
  return text + std::string{messages::name_of(outcome.reason_class)};
}

}  // namespace

TEST_CASE("wrong password, certificate, folder and host: told apart, by leases and by tests, and the others are not disturbed") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  dovecot.deliver("desk", mail_number(1));
  Stage stage{dovecot.certificate()};
  Inbox& good = stage.inbox(tls(dovecot));
  Inbox& password = stage.inbox(tls(dovecot));
  password.password = "wrong";
  Inbox& certificate = stage.inbox(fmt::format("imaps://127.0.0.1:{}", dovecot.tls_port()));  // it is for localhost
  Inbox& folder = stage.inbox(tls(dovecot));
  folder.folder = "Nowhere";
  Inbox& host = stage.inbox("imaps://127.0.0.1:1");
  Inbox& blocked = stage.inbox("imaps://10.255.255.1");
  const auto worker = stage.start_worker();
  for (Inbox* inbox : {&good, &password, &certificate, &folder, &host, &blocked}) stage.dispatch(*inbox);
  const std::pair<Inbox*, ReasonClass> rows[] = {{&password, ReasonClass::credentials}, {&certificate, ReasonClass::certificate},
                                                 {&folder, ReasonClass::not_found},     {&host, ReasonClass::unreachable},
                                                 {&blocked, ReasonClass::blocked_address}};
  for (const auto& [inbox, why] : rows) {
    stage.run_until([&, it = inbox] { return it->ends.size() == 1; });
    CHECK(inbox->ends[0].outcome == PollOutcome::failed);
    CHECK(inbox->ends[0].reason_class == why);
    CHECK_FALSE(inbox->ends[0].reason.empty());
    CHECK_FALSE(inbox->ends[0].suspect_uid.has_value());
  }
  stage.run_until([&] { return good.arrivals.size() == 1 && good.caught_up == 1; });
  stage.run_for(milliseconds{300});
  for (const auto& [inbox, why] : rows) CHECK(inbox->claims == 1);  // no hot loop: the ledger decides when again

  const auto tested = [&](const Inbox& inbox, std::optional<std::string> where = {}) {
    const auto id = stage.test_connection(inbox, std::move(where));
    stage.run_until([&] { return !stage.tests.empty() && stage.tests.back().test_id == id; });
    CHECK(stage.tests.back().connection_id == "connection-" + inbox.id);
    return checks_of(stage.tests.back());
  };
  CHECK(tested(good) == "+reach +certificate +log in +folder +abilities none");
  CHECK(stage.tests.back().summary == "INBOX is open: 1 mails");
  CHECK(tested(password) == "+reach +certificate -log in credentials");
  CHECK(tested(certificate) == "+reach -certificate certificate");
  CHECK(tested(good, "Nowhere") == "+reach +certificate +log in -folder not_found");
  CHECK(tested(host) == "-reach unreachable");
  CHECK(tested(blocked) == "-reach blocked_address");
  CHECK(good.ends.empty());
}

TEST_CASE("a poller killed at any point: another one goes on, and every mail is there once") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (int i = 0; i < 500; ++i) dovecot.deliver("desk", mail_number(i));
  Stage stage{dovecot.certificate()};
  for (const char* point : {"poller_before_claim", "poller_after_claim", "poller_after_bytes:90", "poller_after_draft:120", "poller_before_keep:3", "blob_before_flush:2",
                            "blob_after_flush:2", "blob_after_rename:2", "poller_after_keep:2", "poller_after_publish:150", "poller_after_confirm:60",
                            "poller_before_end", "poller_after_end", "poller_before_ack"}) {
    CAPTURE(std::string{point});
    Inbox& inbox = stage.inbox(tls(dovecot));
    inbox.is_push = false;
    const auto victim = stage.start_worker({fmt::format("POSTROOM_CRASH_AT={}", point)});
    stage.dispatch(inbox);
    stage.run_until([&] { return victim->has_ended(); });
    CHECK(victim->wait() == 137);
    stage.run_for(milliseconds{100});
    inbox.token.clear();  // the ledger heard nothing for long
    const auto next = stage.start_worker();
    stage.run_until([&] { return !inbox.ends.empty() && inbox.ends.back().outcome == PollOutcome::done; });
    stage.run_until([&] { return inbox.arrivals.size() == 500; });
    CHECK(inbox.cursor->last_uid == 500);
    std::set<std::string> bodies;
    for (const auto& mail : inbox.arrivals) bodies.insert(stage.content(mail));
    CHECK(bodies.size() == 500);
  }
  CHECK(stage.shelved == 0);
}

TEST_CASE("kill -9 while mails come in, again and again: nothing is lost, nothing is told of that is not there") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (int i = 0; i < 2'000; ++i) dovecot.deliver("desk", mail_number(i));
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  stage.on_arrival = [&](const messages::MailArrived& mail) { CHECK(stage.content(mail).starts_with("Subject: mail ")); };  // durable before it is told of
  int kills = 0;
  for (const std::size_t enough : {150u, 420u, 900u}) {
    const auto worker = stage.start_worker();
    inbox.token.clear();
    stage.dispatch(inbox);
    stage.run_until([&] { return inbox.arrivals.size() >= enough; });
    worker->send_signal(SIGKILL);
    worker->wait();
    ++kills;
  }
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.arrivals.size() == 2'000 && inbox.caught_up > 0; }, seconds{60});
  CHECK(inbox.cursor->last_uid == 2'000);
  CHECK(kills == 3);
}

TEST_CASE("two pollers: the one that does not hold the mailbox is told to drop") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (int i = 0; i < 50; ++i) dovecot.deliver("desk", mail_number(i));
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  const auto one = stage.start_worker();
  const auto two = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.caught_up == 1; });
  const std::string first = inbox.worker;
  // The ledger gives it out again: the holder is stopped, as if it had slept through its lease.
  support::Child& holder = first.find(fmt::format("-{}-", one->pid())) != std::string::npos ? *one : *two;
  holder.send_signal(SIGSTOP);
  dovecot.deliver("desk", mail_number(50));
  for (int tries = 0; tries < 10 && inbox.worker == first; ++tries) {  // the broker may give it to the sleeper
    stage.dispatch(inbox);
    stage.run_for(milliseconds{700});
  }
  REQUIRE(inbox.worker != first);
  const auto newest = inbox.dispatch_no;
  stage.run_until([&] { return inbox.arrivals.size() == 51; });
  holder.send_signal(SIGCONT);
  // What it hears is drop: it leaves, and its end is of an old dispatch.
  stage.run_until([&] { return inbox.ends.size() == 1; });
  CHECK(inbox.ends[0].dispatch_no < newest);
  dovecot.deliver("desk", mail_number(51));
  stage.run_until([&] { return inbox.arrivals.size() == 52; });
  CHECK(inbox.cursor->last_uid == 52);
}

TEST_CASE("a server that breaks off in the middle of a mail: the others come, the mail is found, and passed over in the end") {
  HostileServer server{{1, 2, 3, 4, 5}, [](std::uint32_t uid) {
                         return uid == 3 ? std::string{"* 1 FETCH (UID 3 BODY[] {100}\r\nonly this"} : std::string{};
                       }};
  Stage stage;
  Inbox& inbox = stage.inbox(server.base_url());
  inbox.is_push = false;
  const auto worker = stage.start_worker();
  for (std::size_t strike = 1; strike <= 3; ++strike) {
    inbox.is_careful = strike > 1;
    stage.dispatch(inbox);
    stage.run_until([&] { return inbox.ends.size() == strike; });
    CHECK(inbox.ends.back().outcome == PollOutcome::failed);
    CHECK(inbox.ends.back().reason_class == ReasonClass::unreachable);
    REQUIRE(inbox.ends.back().suspect_uid.has_value());
    CHECK(*inbox.ends.back().suspect_uid == 3);
    stage.run_until([&] { return inbox.arrivals.size() == 2; });
    CHECK(inbox.cursor->last_uid == 2);
  }
  inbox.skip = {3};
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.ends.size() == 4; });
  CHECK(inbox.ends.back().outcome == PollOutcome::done);
  stage.run_until([&] { return inbox.arrivals.size() == 5; });
  CHECK(inbox.arrivals[2].extent == MailExtent::none);
  CHECK(inbox.arrivals[2].uid == 3);
  CHECK(inbox.cursor->last_uid == 5);
}

TEST_CASE("a mail that kills its poller: a careful one says before which it dies, and it is passed over in the end") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (int i = 1; i <= 5; ++i) dovecot.deliver("desk", i == 3 ? std::string{"Subject: killer\r\n\r\n"} : mail_number(i));
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  inbox.is_push = false;
  // The jobs of the dead come again with the new one, and end before they begin.
  const auto has_ended = [&] { return !inbox.ends.empty() && inbox.ends.back().dispatch_no == inbox.dispatch_no; };
  const std::vector<std::string> frail{"POSTROOM_CRASH_AT=poller_mail=Subject: killer"};
  for (int death = 1; death <= 2; ++death) {
    inbox.is_careful = death > 1;
    inbox.token.clear();  // the ledger heard nothing for long
    stage.dispatch(inbox);
    const auto victim = stage.start_worker(frail);
    stage.run_until([&] { return victim->has_ended(); });
    CHECK(victim->wait() == 137);
    stage.run_for(milliseconds{200});
    CHECK_FALSE(has_ended());
    if (death == 1) CHECK_FALSE(std::ranges::any_of(inbox.words, [](const auto& word) { return word.asking_uid.has_value(); }));
  }
  REQUIRE_FALSE(inbox.words.empty());
  CHECK(inbox.words.back().asking_uid == 3);
  CHECK(inbox.arrivals.size() == 2);  // the careful one brought what stands before it
  inbox.skip = {3};
  inbox.token.clear();
  stage.dispatch(inbox);
  const auto last = stage.start_worker(frail);
  stage.run_until([&] { return has_ended() && inbox.arrivals.size() == 5; });
  CHECK(inbox.ends.back().outcome == PollOutcome::done);
  CHECK(inbox.arrivals[2].uid == 3);
  CHECK(inbox.arrivals[2].extent == MailExtent::none);
  CHECK(inbox.caught_up == 1);
}

TEST_CASE("hostile words: endless, huge and wrong ones end the session, and the poller lives") {
  const std::string endless(70'000, 'a');
  const std::string rows[] = {"* 1 FETCH (UID 1 BODY[] {4294967295}\r\nx", "* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\nx",
                              "* 1 FETCH (" + endless, std::string(1'000, '('), "P999 OK done\r\n", "* BYE\r\n", std::string{"\0\0\0", 3}};
  Stage stage;
  const auto worker = stage.start_worker();
  for (const auto& words : rows) {
    HostileServer server{{1}, [&](std::uint32_t) { return words; }};
    Inbox& inbox = stage.inbox(server.base_url());
    inbox.is_push = false;
    stage.dispatch(inbox);
    stage.run_until([&] { return inbox.ends.size() == 1; });
    CHECK(inbox.ends[0].outcome == PollOutcome::failed);
    CHECK(inbox.arrivals.empty());
  }
  CHECK_FALSE(worker->has_ended());
}

TEST_CASE("a Dovecot that ends the session, or is silent, and comes back") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (int i = 0; i < 10; ++i) dovecot.deliver("desk", mail_number(i));
  Stage stage{dovecot.certificate()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.caught_up == 1; });
  dovecot.kick("desk");
  stage.run_until([&] { return inbox.ends.size() == 1; });
  CHECK(inbox.ends[0].outcome == PollOutcome::failed);
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.caught_up == 2; });
  // A silent server does not keep the worker from going, nor other mailboxes from being served.
  dovecot.pause();
  HostileServer other{{1, 2}, [](std::uint32_t) { return std::string{}; }};
  Inbox& second = stage.inbox(other.base_url());
  second.is_push = false;
  stage.dispatch(second);
  stage.run_until([&] { return second.ends.size() == 1; });
  CHECK(second.arrivals.size() == 2);
  const auto told = SystemClock{}.steady();
  worker->send_signal(SIGTERM);
  CHECK(worker->wait() == 0);
  CHECK(SystemClock{}.steady() - told < seconds{8});
  stage.run_until([&] { return inbox.ends.size() == 2; });
  CHECK(inbox.ends[1].outcome == PollOutcome::released);
}

TEST_CASE("the broker goes and comes back: the lease goes on, and every mail is told of") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (int i = 0; i < 300; ++i) dovecot.deliver("desk", mail_number(i));
  Stage stage{dovecot.certificate()};
  const support::Restored restored{stage.rabbit()};
  Inbox& inbox = stage.inbox(tls(dovecot));
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.arrivals.size() >= 50; });
  stage.rabbit().kill();
  stage.rabbit().start();
  stage.run_until([&] { return inbox.arrivals.size() == 300 && inbox.caught_up >= 1; }, seconds{60});
  CHECK(inbox.cursor->last_uid == 300);
  dovecot.deliver("desk", mail_number(300));
  stage.run_until([&] { return inbox.arrivals.size() == 301; });
  worker->send_signal(SIGTERM);
  CHECK(worker->wait() == 0);
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("a ledger that does not answer: nothing is connected to, the claim is asked again, and the worker still stops in time") {
  HostileServer server{{1}, [](std::uint32_t) { return std::string{}; }};
  Stage stage;
  stage.answers = false;
  Inbox& inbox = stage.inbox(server.base_url());
  const auto worker = stage.start_worker();
  stage.dispatch(inbox);
  stage.run_until([&] { return inbox.claims >= 2; });
  CHECK(server.sessions() == 0);
  worker->send_signal(SIGTERM);
  stage.run_until([&] { return inbox.ends.size() == 1; });
  CHECK(inbox.ends[0].outcome == PollOutcome::released);
  CHECK(worker->wait() == 0);
}

TEST_CASE("messages that are none go to standby, whole") {
  Stage stage;
  const auto worker = stage.start_worker();
  stage.rabbit();
  Inbox& inbox = stage.inbox("imaps://127.0.0.1:1");
  inbox.id = "no-uuid";
  stage.dispatch(inbox);
  stage.run_until([&] { return stage.shelved == 1; });
}
