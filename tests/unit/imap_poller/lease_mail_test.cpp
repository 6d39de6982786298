// Mails within a lease: kept before they are told of, told of in order, and what becomes of those that do not come.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/base/text.hpp"
#include "tests/unit/imap_poller/lease_rig.hpp"
#include "workers/imap_poller/arrival.hpp"

using namespace postroom;
using namespace postroom::imap_poller;
using std::chrono::seconds;

TEST_CASE("mails are drafted, kept, told of in order, and only then more is fetched") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "12 11 15");
  rig.seen();
  rig.bring({11, 12, 15});
  CHECK(rig.seen() ==
        "> P5 UID FETCH 11:12,15 (UID BODY.PEEK[])\nbegin\nbytes 1\nend 11\nbegin\nbytes 1\nend 12\nbegin\nbytes 1\nend 15\nkeep 1: 11 12 15\n> P6 IDLE");
  rig.kept(1);
  CHECK(rig.seen() == "publish 1: 11<-10 whole 12<-11 whole 15<-12 whole");
  CHECK(rig.words.empty());  // caught up is told when the broker has all of them
  rig.confirmed(1);
  CHECK(rig.seen() == "say progress watching 9/100 push caught up");

  const auto& mail = rig.arrivals[0];
  CHECK(mail.inbox_id == inbox);
  CHECK(mail.uid_validity == 9);
  CHECK(mail.stated_size == 1);
  CHECK(mail.blob.has_value());
  CHECK(mail.received_at_us == 1'795'168'800'000'000);
  CHECK(arrival_id_of(mail) == crypto::uuid_v5(inbox, {"9", "11"}));
  CHECK(mail.ticket_id == crypto::uuid_v5(arrival_id_of(mail), {"ticket"}));
}

TEST_CASE("a word that is due while mails are on their way does not say that all are told") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11");
  rig.bring({11});
  rig.server("+ idling");
  rig.kept(1);
  rig.seen();
  rig.pass(seconds{60});
  CHECK(rig.seen("say") == "say progress watching 9/100 push");
  rig.confirmed_word();
  rig.confirmed(1);
  CHECK(rig.seen("say") == "say progress watching 9/100 push caught up");
}

TEST_CASE("the next round goes on from the mail that was told of last") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11");
  rig.bring({11});
  rig.server("+ idling");
  rig.kept(1);
  rig.confirmed(1);
  rig.confirmed_word();
  rig.seen();
  rig.server("* 101 EXISTS");
  rig.server("P6 OK done");
  rig.server("* SEARCH 14\nP7 OK done");
  rig.bring({14}, 8);
  rig.kept(2);
  CHECK(rig.seen("publish") == "publish 2: 14<-11 whole");
}

TEST_CASE("a first contact and a new UIDVALIDITY begin from nothing") {
  for (const bool is_first : {true, false}) {
    CAPTURE(is_first);
    LeaseRig rig;
    auto grant = LeaseRig::usual();
    grant.cursor = messages::MailboxCursor{8, 500};
    if (is_first) grant.cursor.reset();
    rig.open(grant, "3 4");
    CHECK((rig.seen("note") == "note UIDVALIDITY changed from 8 to 9: the whole mailbox is listed again") == !is_first);
    rig.bring({3, 4});
    rig.kept(1);
    CHECK(rig.seen("publish") == "publish 1: 3<-0 whole 4<-3 whole");
  }
}

TEST_CASE("old mails are counted and left alone, and the count is told once") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  grant.cursor.reset();
  grant.since_us = 1'795'168'801'000'000 + 900'000;  // 10:00:01.9; the server's dates have whole seconds
  rig.open(grant, "3 4 5");
  rig.server("* 3 FETCH (UID 3 RFC822.SIZE 1 INTERNALDATE \"20-Nov-2026 10:00:00 +0000\")\n"
             "* 4 FETCH (UID 4 RFC822.SIZE 1 INTERNALDATE \"20-Nov-2026 10:00:00 +0000\")\n"
             "* 5 FETCH (UID 5 RFC822.SIZE 1 INTERNALDATE \"20-Nov-2026 10:00:01 +0000\")\nP4 OK done");
  rig.seen();
  rig.server("* 5 FETCH (UID 5 BODY[] {1}\nx)\nP5 OK done");
  rig.kept(1);
  CHECK(rig.seen("publish") == "publish 1: 5<-0 whole");
  rig.confirmed(1);
  CHECK(rig.seen("say") == "say progress watching 9/100 push older=2 caught up");
  rig.confirmed_word();
  rig.server("+ idling");
  rig.pass(seconds{60});
  CHECK(rig.seen("say") == "say progress watching 9/100 push");
}

TEST_CASE("a mail that is gone never arrived; one that the server does not give is told of without its bytes") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  grant.skip = {13};
  rig.open(grant, "11 12 13 14");
  rig.seen();
  rig.server("* 11 FETCH (UID 11 RFC822.SIZE 1)\n* 14 FETCH (UID 14 RFC822.SIZE 1)\nP4 OK done");
  rig.server("P5 OK done");  // 12 is not there
  rig.server("* 11 FETCH (UID 11 BODY[] {1}\nx)\nP6 NO [SERVERBUG] broken");
  rig.seen();
  rig.server("P7 NO [SERVERBUG] broken");
  rig.server("P8 OK done");
  rig.server("* 14 FETCH (UID 14 RFC822.SIZE 1)\nP9 OK done");
  rig.kept(1);
  rig.kept(2);
  std::string told;
  for (const auto& mail : rig.arrivals) told += fmt::format("{}<-{} {}\n", mail.uid, mail.previous_uid, messages::name_of(mail.extent));
  CHECK(told == "11<-10 whole\n13<-11 none\n14<-13 none\n");
  CHECK(rig.arrivals[1].trouble == "every conversation with the server broke at this mail; it was passed over");
  CHECK(rig.arrivals[2].trouble == "the server does not give this mail: broken");
  CHECK_FALSE(rig.arrivals[2].blob.has_value());
}

TEST_CASE("a mail above the limit is told of with its header, and why") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11");
  rig.server("* 11 FETCH (UID 11 RFC822.SIZE 99000000)\nP4 OK done");
  CHECK(rig.seen().find("BODY.PEEK[HEADER]<0.262144>") != std::string::npos);
  rig.server("* 11 FETCH (UID 11 BODY[HEADER]<0> {1}\nx)\nP5 OK done");
  rig.kept(1);
  CHECK(rig.seen("publish") == "publish 1: 11<-10 header_only");
  CHECK(rig.arrivals[0].stated_size == 99'000'000);
  CHECK(rig.arrivals[0].trouble.find("of mail.size_limit") != std::string::npos);
}

TEST_CASE("a conversation that breaks inside a mail names it, and what was whole is told of first") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11 12");
  rig.server("* 11 FETCH (UID 11 RFC822.SIZE 1)\n* 12 FETCH (UID 12 RFC822.SIZE 9)\nP4 OK done");
  rig.server("* 11 FETCH (UID 11 BODY[] {1}\nx)\n* 12 FETCH (UID 12 BODY[] {9}\nabc");
  rig.seen();
  rig.disconnected();
  CHECK(rig.seen() == "drop\nkeep 1: 11");
  rig.kept(1);
  CHECK(rig.seen() == "publish 1: 11<-10 whole");
  rig.confirmed(1);
  CHECK(rig.seen() == "say ended failed unreachable: it broke (suspect 12)");
}

TEST_CASE("careful: one mail after the other, each told to the ledger before it is asked for, so that the culprit is certain whoever breaks") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  grant.is_careful = true;
  rig.open(grant, "11 12");
  CHECK(rig.seen("> P4").empty());
  CHECK(rig.words.size() == 1);
  CHECK(rig.words.back().asking_uid == 11);
  REQUIRE(rig.words.back().mailbox.has_value());
  CHECK(rig.words.back().mailbox->uid_validity == 9);
  rig.confirmed_word();
  CHECK(rig.seen() == "> P4 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)");
  rig.pass(std::chrono::milliseconds{30'000});  // it takes long, and the next word says so too
  rig.server("* 11 FETCH (UID 11 RFC822.SIZE 1)\nP4 OK done");
  rig.pass(std::chrono::milliseconds{31'000});
  CHECK(rig.seen("say") == "say progress fetching 9/100 push asks for 11");
  rig.server("* 11 FETCH (UID 11 BODY[] {1}\nx)\nP5 OK done");
  rig.kept(1);
  CHECK(rig.seen("say").empty());
  rig.confirmed(1);
  CHECK(rig.seen("say").empty());  // one word at a time
  rig.confirmed_word();
  CHECK(rig.seen() == "say progress fetching 9/100 push asks for 12");
  rig.confirmed_word();
  CHECK(rig.seen() == "> P6 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)");
  rig.bring({12}, 6);
  rig.kept(2);
  rig.confirmed(2);
  CHECK(rig.seen("say") == "say progress watching 9/100 push caught up");
  // A mail that comes while it watches.
  rig.confirmed_word();
  rig.server("+ idling");
  rig.server("* 101 EXISTS");
  rig.server("P8 OK done");
  rig.server("* SEARCH 13\nP9 OK done");
  CHECK(rig.seen("say") == "say progress fetching 9/101 push asks for 13");
  rig.stop();
  rig.server("* BYE\nP10 OK bye");
  rig.confirmed_word();
  CHECK(rig.seen("say") == "say ended released");
}

TEST_CASE("a disk that keeps nothing ends the lease, and nothing is told of that is not kept") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11 12");
  rig.bring({11, 12});
  rig.seen();
  rig.not_kept(1);
  CHECK(rig.seen() == "hang up\nsay ended failed none: this machine cannot keep mails: the disk is full");
  CHECK(rig.arrivals.empty());
}

TEST_CASE("after a batch that was not kept, later ones are not told of") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11");
  rig.bring({11});
  rig.server("+ idling");
  rig.server("* 101 EXISTS");
  rig.server("P6 OK done");
  rig.server("* SEARCH 12\nP7 OK done");
  rig.bring({12}, 8);
  rig.not_kept(1);
  rig.seen();
  rig.kept(2);
  CHECK(rig.seen() == "say ended failed none: this machine cannot keep mails: the disk is full");
  CHECK(rig.arrivals.empty());
}

TEST_CASE("a draft that cannot be written ends the lease") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11");
  rig.lease.on_no_space(Error{Code::io, "no space left"}, rig.now);
  CHECK(rig.lease.stage() == Lease::Stage::ending);
}

TEST_CASE("the engine waits while the broker does not take what was fetched") {
  LeaseRig rig;
  std::string found;
  for (int uid = 11; uid < 1'011; ++uid) found += fmt::format(" {}", uid);
  rig.open(LeaseRig::usual(), found);
  std::map<int, std::string> asked;
  int fetched = 0;
  // The server answers every command; nothing is ever confirmed.
  for (int tag = 4; tag < 100; ++tag) {
    const std::string seen = rig.seen("> P");
    for (const auto line : split(seen, '\n')) {
      if (!line.empty()) asked[std::stoi(std::string{line.substr(3)})] = line;
    }
    if (!asked.contains(tag)) break;
    const bool is_measure = asked[tag].find("RFC822.SIZE") != std::string::npos;
    const auto set = asked[tag].substr(asked[tag].find("FETCH ") + 6);
    const int from = std::stoi(set);
    const int to = std::stoi(set.substr(set.find(':') + 1));
    std::string lines;
    for (int uid = from; uid <= to; ++uid) {
      lines += is_measure ? fmt::format("* 1 FETCH (UID {} RFC822.SIZE 1)\n", uid) : fmt::format("* 1 FETCH (UID {} BODY[] {{1}}\nx)\n", uid);
      if (!is_measure) ++fetched;
    }
    rig.server(fmt::format("{}P{} OK done", lines, tag));
  }
  CHECK(fetched == 400);  // the window
  CHECK(rig.lease.activity() == "fetching");
}

TEST_CASE("a confirm out of order does not open the window too early") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "11");
  rig.bring({11});
  rig.server("+ idling");
  rig.server("* 101 EXISTS");
  rig.server("P6 OK done");
  rig.server("* SEARCH 12\nP7 OK done");
  rig.bring({12}, 8);
  rig.kept(1);
  rig.kept(2);
  rig.seen();
  rig.confirmed(2);
  CHECK(rig.words.empty());
  rig.confirmed(1);
  CHECK(rig.seen("say") == "say progress watching 9/101 push caught up");
}

TEST_CASE("chores of the grant and of later answers are done once, and reported at once") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  const messages::PollChore seen{"seen", 9, 3, messages::ChoreVerb::flag, "\\Seen"};
  const messages::PollChore gone{"gone", 9, 4, messages::ChoreVerb::erase, ""};
  const messages::PollChore old{"old", 8, 5, messages::ChoreVerb::erase, ""};
  grant.chores = {seen};
  rig.begin();
  rig.grant(grant);
  messages::PollAnswered more;
  more.verdict = messages::ClaimVerdict::send;
  more.chores = {seen, old};
  rig.answer(more);  // before the connection stands
  rig.connected();
  rig.server("* CAPABILITY IMAP4rev1 IDLE UIDPLUS\nP1 OK done");
  rig.seen();
  rig.server("* 100 EXISTS\n* OK [UIDVALIDITY 9] ok\nP2 OK [READ-WRITE] done");
  CHECK(rig.seen(">") == "> P3 UID STORE 3 +FLAGS.SILENT (\\Seen)");
  rig.server("P3 OK done");
  CHECK(rig.seen("say") == "say progress listing 9/100 push seen=done old=refused");
  rig.confirmed_word();
  rig.server("* SEARCH\nP4 OK done");
  rig.server("+ idling");
  rig.confirmed_word();
  more.chores = {seen, gone, old};
  rig.answer(more);
  rig.server("P5 OK done");
  rig.server("P6 OK done");
  rig.seen();
  rig.server("P7 OK done");
  CHECK(rig.seen("say") == "say progress watching 9/100 push gone=done");
}
