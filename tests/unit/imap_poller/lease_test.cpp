// The lease from the claim to the end: who is asked, when words are due, and how it leaves.

#include <doctest/doctest.h>

#include "tests/unit/imap_poller/lease_rig.hpp"

using namespace postroom;
using namespace postroom::imap_poller;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("nothing is connected to before the ledger grants the mailbox, and a drop is the end") {
  LeaseRig rig;
  rig.begin();
  CHECK(rig.seen() == "say claim");
  CHECK(rig.claims[0] == messages::PollClaim{inbox, 7, "token", "imap_poller-1"});
  rig.drop("another holds it");
  CHECK(rig.seen() == "note dropped: another holds it\nfinish");
  CHECK(rig.lease.stage() == Lease::Stage::over);
  CHECK_FALSE(rig.lease.due().has_value());
}

TEST_CASE("a claim without an answer is asked again, more and more seldom, with the same token") {
  LeaseRig rig;
  rig.begin();
  rig.seen();
  rig.pass(seconds{2});
  CHECK(rig.seen() == "say claim");
  rig.pass(seconds{4});
  CHECK(rig.seen() == "say claim");
  rig.pass(minutes{20});
  CHECK(rig.claims.size() < 30);
  for (const auto& claim : rig.claims) CHECK(claim.token == "token");
  rig.seen();
  rig.grant(LeaseRig::usual());
  CHECK(rig.seen("connect") == "connect imaps://mail.example.org");
}

TEST_CASE("an answer to another lease's question means nothing") {
  LeaseRig rig;
  rig.begin();
  rig.seen();
  messages::PollAnswered other;
  other.token = "another";
  rig.answer(other);
  CHECK(rig.seen() == "");
  CHECK(rig.lease.stage() == Lease::Stage::claiming);
}

TEST_CASE("the word is given every minute, one at a time, and the watch goes on") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "");
  CHECK(rig.seen("say") == "say claim\nsay progress watching 9/100 push caught up");
  rig.server("+ idling");
  rig.pass(seconds{59});
  CHECK(rig.seen("say") == "");
  rig.pass(seconds{10});
  CHECK(rig.seen("say") == "");  // the first is not confirmed: the broker may be away
  rig.server("* OK still here");
  CHECK(rig.seen("say") == "");
  rig.confirmed_word();
  CHECK(rig.seen("say") == "say progress watching 9/100 push");
  rig.confirmed_word();
  rig.answer({.verdict = messages::ClaimVerdict::send});
  rig.pass(seconds{60});
  CHECK(rig.seen("say") == "say progress watching 9/100 push");
}

TEST_CASE("the lease ends at its time, politely, and in peace") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  grant.lease_ms = 50'000;
  rig.open(grant, "");
  rig.confirmed_word();
  rig.server("+ idling");
  rig.seen();
  rig.pass(seconds{49});
  CHECK(rig.seen() == "");
  rig.pass(seconds{1});
  CHECK(rig.seen() == "> DONE");
  rig.server("P4 OK done");
  CHECK(rig.seen() == "> P5 LOGOUT");
  rig.server("* BYE see you\nP5 OK done");
  CHECK(rig.seen() == "hang up\nsay ended done");
  rig.confirmed_word();
  CHECK(rig.seen() == "finish");
}

TEST_CASE("a server that does not say goodbye in time is hung up on") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  grant.lease_ms = 50'000;
  rig.open(grant, "");
  rig.confirmed_word();
  rig.server("+ idling");
  rig.pass(seconds{50});
  rig.seen();
  rig.pass(seconds{61});
  CHECK(rig.seen() == "hang up\nsay ended done");
}

TEST_CASE("drop to a word means: log out, quickly") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "");
  rig.confirmed_word();
  rig.server("+ idling");
  rig.seen();
  rig.drop("the inbox was paused");
  CHECK(rig.seen() == "note dropped: the inbox was paused\n> DONE");
  rig.pass(seconds{3});
  CHECK(rig.seen() == "hang up\nsay ended done");
}

TEST_CASE("a ledger that is silent for too long has given the mailbox to another") {
  LeaseRig rig;
  rig.open(LeaseRig::usual(), "");
  rig.confirmed_word();
  rig.server("+ idling");
  rig.seen();
  rig.pass(seconds{60});
  rig.confirmed_word();
  rig.pass(seconds{89});
  CHECK(rig.seen("note") == "");
  rig.pass(seconds{2});
  CHECK(rig.seen().find("note the ledger is silent") != std::string::npos);
}

TEST_CASE("when the worker stops, the mailbox is released, wherever it stands") {
  SUBCASE("while it is asked for") {
    LeaseRig rig;
    rig.begin();
    rig.seen();
    rig.stop();
    CHECK(rig.seen() == "say ended released");  // behind the claim: the ledger may have granted it
    rig.confirmed_word();
    CHECK(rig.seen() == "finish");
  }
  SUBCASE("while it is connected to") {
    LeaseRig rig;
    rig.begin();
    rig.grant(LeaseRig::usual());
    rig.seen();
    rig.stop();
    CHECK(rig.seen() == "hang up\nsay ended released");
  }
  SUBCASE("while it is watched") {
    LeaseRig rig;
    rig.open(LeaseRig::usual(), "");
    rig.confirmed_word();
    rig.server("+ idling");
    rig.seen();
    rig.stop();
    CHECK(rig.seen() == "> DONE");
    rig.server("P4 OK done");
    rig.server("P5 OK done");
    CHECK(rig.seen() == "> P5 LOGOUT\nhang up\nsay ended released");
  }
  SUBCASE("while a word is not confirmed: the end comes after it") {
    LeaseRig rig;
    rig.open(LeaseRig::usual(), "");
    rig.server("+ idling");
    rig.stop();
    rig.server("P4 OK done");
    rig.server("P5 OK done");
    CHECK(rig.seen("say ended") == "");
    rig.confirmed_word();
    CHECK(rig.seen("say ended") == "say ended released");
  }
}

TEST_CASE("a mailbox that was given out again is left") {
  LeaseRig rig;
  rig.begin();
  rig.grant(LeaseRig::usual());
  rig.lease.on_superseded(rig.now);
  CHECK(rig.lease.stage() == Lease::Stage::ending);
}

TEST_CASE("what fails is told with its reason: the way there, the folder, the server") {
  SUBCASE("no connection") {
    LeaseRig rig;
    rig.begin();
    rig.grant(LeaseRig::usual());
    rig.seen();
    rig.lease.on_disconnected({messages::ReasonClass::credentials, "no"}, rig.now);
    CHECK(rig.lease.stage() == Lease::Stage::ending);
  }
  SUBCASE("it broke while it was watched") {
    LeaseRig rig;
    rig.open(LeaseRig::usual(), "");
    rig.confirmed_word();
    rig.seen();
    rig.disconnected();
    CHECK(rig.seen() == "say ended failed unreachable: it broke");
  }
  SUBCASE("no such folder") {
    LeaseRig rig;
    auto grant = LeaseRig::usual();
    grant.folder = "Nowhere";
    rig.begin();
    rig.grant(grant);
    rig.connected();
    rig.server("* CAPABILITY IMAP4rev1\nP1 OK done");
    rig.seen();
    rig.server("P2 NO [NONEXISTENT] there is none");
    CHECK(rig.seen() == "hang up\nsay ended failed not_found: Nowhere: the mailbox cannot be opened: there is none");
  }
  SUBCASE("the server is silent") {
    LeaseRig rig;
    rig.begin();
    rig.grant(LeaseRig::usual());
    rig.connected();
    rig.seen();
    rig.pass(seconds{60});
    CHECK(rig.seen("say ended").starts_with("say ended failed timeout: imap: the server did not answer in time"));
  }
  SUBCASE("a grant without a grant") {
    LeaseRig rig;
    rig.begin();
    rig.seen();
    rig.answer({.verdict = messages::ClaimVerdict::send});
    CHECK(rig.seen().starts_with("say ended failed protocol"));
  }
}

TEST_CASE("without push it looks once, tells that it caught up, and leaves") {
  LeaseRig rig;
  auto grant = LeaseRig::usual();
  grant.is_push = false;
  rig.open(grant, "");
  CHECK(rig.seen().find("> P4 LOGOUT") != std::string::npos);
  rig.confirmed_word();
  rig.server("P4 OK done");
  CHECK(rig.words.size() == 1);
  CHECK(rig.words[0].is_caught_up);
  CHECK(rig.seen() == "hang up\nsay ended done");
}
