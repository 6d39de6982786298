// The engine against a real Dovecot.

#include "tests/support/dovecot.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "tests/component/imap/session.hpp"

using namespace postroom;
using namespace postroom::fixtures;
using namespace postroom::imap;

namespace {

std::string mail_number(int number) {
  // Lines that look like the server's own words, and 8-bit bytes: the literal's count decides, nothing else.
  return fmt::format(
      "From: writer{0}@example.org\r\nTo: desk@example.org\r\nSubject: mail {0}\r\n\r\n* BYE {{5}}\r\nP2 OK "
      "done\r\n)\r\n\xfc\r\n{1}\r\n",
      number, std::string(static_cast<std::size_t>(number % 50) * 40, 'x'));
}

Task once(std::optional<Cursor> cursor = std::nullopt) {
  Task task;
  task.cursor = cursor;
  task.is_watching = false;
  return task;
}

std::set<std::string> contents(const Findings& findings) {
  std::set<std::string> bodies;
  for (const auto& [uid, body] : findings.mails) bodies.insert(body);
  return bodies;
}

}  // namespace

TEST_CASE("500 mails come whole, each once, and the cursor makes the next session find nothing") {
  Dovecot dovecot;
  std::set<std::string> sent;
  for (int i = 0; i < 500; ++i) {
    sent.insert(mail_number(i));
    dovecot.deliver("desk", mail_number(i));
  }
  Settings settings;
  settings.window_count = 150;
  Session session{dovecot.port(), "desk", once(), settings};
  session.run_to_the_end();
  CHECK(session.findings().failure == "");
  CHECK(session.findings().is_done);
  CHECK(session.findings().mail_count == 500);
  CHECK(contents(session.findings()) == sent);
  CHECK(session.findings().cursor.last_uid == 500);
  CHECK(session.findings().selected->exists == 500);

  Connection other{dovecot.port(), "desk"};
  other.command("SELECT INBOX");
  CHECK(other.command("UID SEARCH SEEN").find("* SEARCH\r\n") !=
        std::string::npos);  // PEEK: nothing was marked as read

  Session again{dovecot.port(), "desk", once(session.findings().cursor)};
  again.run_to_the_end();
  CHECK(again.findings().is_done);
  CHECK(again.findings().mail_count == 0);
  CHECK(again.findings().cursor == session.findings().cursor);
}

TEST_CASE("IDLE tells of a mail that arrives, and what else happens does not disturb it") {
  Dovecot dovecot;
  dovecot.deliver("desk", mail_number(1));
  Session session{dovecot.port(), "desk", Task{}};
  session.run_until([](const Findings& f) { return f.times_caught_up == 1; });
  CHECK(session.findings().mail_count == 1);
  session.run_until([&](const Findings&) { return session.engine().stage() == Stage::idling; });
  Connection other{dovecot.port(), "desk"};
  other.command("SELECT INBOX");
  other.command("UID STORE 1 +FLAGS (\\Flagged)");
  dovecot.deliver("desk", mail_number(2));
  session.run_until([](const Findings& f) { return f.mail_count == 2; });
  CHECK(session.findings().mails.at(2) == mail_number(2));
  session.run_until([](const Findings& f) { return f.times_caught_up == 2; });
  session.act(
      session.engine().on_chores({{"read", session.findings().selected->uid_validity, 1, Chore::Verb::flag, "\\Seen"}},
                                 std::chrono::steady_clock::now()));
  session.run_until([](const Findings& f) { return f.chores.size() == 1; });
  CHECK(session.findings().chores[0].outcome == ChoreDone::Outcome::done);
  session.act(session.engine().on_stop(std::chrono::steady_clock::now()));
  session.run_to_the_end();
  CHECK(session.findings().failure == "");
  CHECK(session.findings().is_done);
  other.command("NOOP");
  CHECK(other.command("UID SEARCH SEEN").find("* SEARCH 1\r\n") != std::string::npos);
}

TEST_CASE("a new UIDVALIDITY is noticed, everything is listed again, and old chores are refused") {
  Dovecot dovecot;
  for (int i = 0; i < 5; ++i) dovecot.deliver("desk", mail_number(i));
  Session before{dovecot.port(), "desk", once()};
  before.run_to_the_end();
  REQUIRE(before.findings().mail_count == 5);
  const Cursor cursor = before.findings().cursor;
  dovecot.reset_uids("desk");
  // Dovecot makes UIDVALIDITY from the time in seconds.
  std::optional<Session> after;
  for (int tries = 0; tries < 50; ++tries) {
    Task task = once(cursor);
    task.chores = {{"old", cursor.uid_validity, 1, Chore::Verb::erase, ""}};
    after.emplace(dovecot.port(), "desk", std::move(task));
    after->run_to_the_end();
    if (after->findings().selected && after->findings().selected->uid_validity != cursor.uid_validity) break;
    dovecot.reset_uids("desk");
  }
  CHECK(after->findings().failure == "");
  CHECK(after->findings().validity_changes == 1);
  CHECK(after->findings().mail_count == 5);
  CHECK(contents(after->findings()) == contents(before.findings()));
  REQUIRE(after->findings().chores.size() == 1);
  CHECK(after->findings().chores[0].outcome == ChoreDone::Outcome::refused);
}

TEST_CASE("another client moves, flags and removes mails meanwhile: every mail comes or is known to be gone") {
  Dovecot dovecot;
  std::set<std::string> sent;
  for (int i = 0; i < 200; ++i) {
    sent.insert(mail_number(i));
    dovecot.deliver("desk", mail_number(i));
  }
  Settings settings;
  settings.measure_count = 20;
  settings.batch_count = 5;
  settings.window_count = 10;
  Session session{dovecot.port(), "desk", once(), settings};
  Connection other{dovecot.port(), "desk"};
  int mails = 0;
  session.after_mail = [&] {
    ++mails;
    if (mails == 3) other.command("SELECT INBOX");
    if (mails == 5) other.command("UID STORE 1:200 +FLAGS (\\Seen)");
    if (mails == 8) other.command("UID MOVE 20:29 Archive");
    if (mails == 12) other.command("UID STORE 13:14,150:159 +FLAGS (\\Deleted)");
    if (mails == 13) other.command("EXPUNGE");
  };
  session.run_to_the_end();
  CHECK(session.findings().failure == "");
  CHECK(session.findings().is_done);
  CHECK(session.findings().cursor.last_uid == 200);
  for (Uid uid = 1; uid <= 200; ++uid) {
    CAPTURE(uid);
    CHECK(session.findings().mails.count(uid) + session.findings().missing.count(uid) == 1);
  }
  for (const Uid uid : {150u, 155u, 159u}) CHECK(session.findings().missing.count(uid) == 1);
  for (const auto& [uid, why] : session.findings().missing) {
    CAPTURE(uid);
    CHECK(why == MailMissing::Why::gone);
  }
  for (const std::string& body : contents(session.findings())) CHECK(sent.count(body) == 1);
}

TEST_CASE("chores are done by UID, with MOVE and without it, and touch nothing else") {
  Dovecot dovecot;
  for (int i = 0; i < 5; ++i) dovecot.deliver("desk", mail_number(i));
  Session first{dovecot.port(), "desk", once()};
  first.run_to_the_end();
  const Cursor cursor = first.findings().cursor;
  Connection other{dovecot.port(), "desk"};
  other.command("SELECT INBOX");
  other.command("UID STORE 5 +FLAGS (\\Deleted)");  // marked by somebody else: a plain EXPUNGE would remove it

  Task task = once(cursor);
  task.chores = {{"a", cursor.uid_validity, 1, Chore::Verb::move, "Archive"},
                 {"b", cursor.uid_validity, 2, Chore::Verb::erase, ""},
                 {"c", cursor.uid_validity, 1, Chore::Verb::move, "Archive"},
                 {"d", cursor.uid_validity, 3, Chore::Verb::move, "No such mailbox"}};
  Session second{dovecot.port(), "desk", std::move(task)};
  second.run_to_the_end();
  REQUIRE(second.findings().chores.size() == 4);
  CHECK(second.findings().chores[0].outcome == ChoreDone::Outcome::done);
  CHECK(second.findings().chores[1].outcome == ChoreDone::Outcome::done);
  CHECK(second.findings().chores[2].outcome == ChoreDone::Outcome::done);  // done before: nothing is left to do
  CHECK(second.findings().chores[3].outcome == ChoreDone::Outcome::failed);
  CHECK(second.findings().chores[3].text.starts_with("the target mailbox does not exist: "));

  Task plain = once(cursor);
  plain.capabilities = {"IMAP4REV1", "UIDPLUS"};
  plain.chores = {{"e", cursor.uid_validity, 4, Chore::Verb::move, "Archive"}};
  Session third{dovecot.port(), "desk", std::move(plain)};
  third.run_to_the_end();
  CHECK(third.findings().failure == "");
  REQUIRE(third.findings().chores.size() == 1);
  CHECK(third.findings().chores[0].outcome == ChoreDone::Outcome::done);

  other.command("NOOP");
  CHECK(other.command("UID SEARCH ALL").find("* SEARCH 3 5\r\n") != std::string::npos);
  CHECK(other.command("SELECT Archive").find("* 2 EXISTS\r\n") != std::string::npos);
}

TEST_CASE("a mail above the limit comes as its header") {
  Dovecot dovecot;
  dovecot.deliver("desk", "Subject: large\r\n\r\n" + std::string(200'000, 'x') + "\r\n");
  dovecot.deliver("desk", mail_number(1));
  Settings settings;
  settings.size_limit = 100'000;
  Session session{dovecot.port(), "desk", once(), settings};
  session.run_to_the_end();
  CHECK(session.findings().failure == "");
  CHECK(session.findings().mails.at(1) == "Subject: large\r\n\r\n");
  CHECK(session.findings().mails.at(2) == mail_number(1));
}

TEST_CASE("a mailbox that is not there and one without IDLE") {
  Dovecot dovecot;
  Task missing = once();
  missing.mailbox = "Ablage/Größe";
  Session refused{dovecot.port(), "desk", missing};
  refused.run_to_the_end();
  CHECK(refused.findings().failure.find("cannot be opened") != std::string::npos);

  Task polled;
  polled.capabilities = {"IMAP4REV1"};
  Settings settings;
  settings.poll_interval = std::chrono::milliseconds{50};
  settings.listing_pause = std::chrono::milliseconds{10};
  Session session{dovecot.port(), "desk", polled, settings};
  session.run_until([](const Findings& f) { return f.times_caught_up == 1; });
  dovecot.deliver("desk", mail_number(7));
  session.run_until([](const Findings& f) { return f.mail_count == 1; });
  CHECK(session.findings().mails.begin()->second == mail_number(7));
}
