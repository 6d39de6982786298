// Mails that break conversations, and mails that kill workers.

#include "tests/unit/ledger/lease_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::PollOutcome;
using messages::ReasonClass;
using store::LeaseState;

TEST_CASE("a mail that breaks the conversation is hunted carefully and passed over after three strikes") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  world.inbox().last_uid = 40;
  for (std::int64_t strike = 1; strike <= 3; ++strike) {
    world.tick();
    const auto grant = world.claim().grant;
    CHECK(grant->is_careful == (strike > 1));
    CHECK(grant->skip.empty());
    world.end(PollOutcome::failed, ReasonClass::protocol, 41);
    CHECK(world.suspects[41].strikes == strike);
    CHECK(world.due_in() == 5 * LeaseWorld::second);  // its neighbours behind it wait
    world.pass(world.due_in());
  }
  CHECK(world.last.notices.size() == 1);
  world.tick();
  auto grant = world.claim().grant;
  CHECK_FALSE(grant->is_careful);
  CHECK(grant->skip == std::vector<std::int64_t>{41});
  // It arrived as what could not be fetched: the cursor is past it.
  world.inbox().last_uid = 41;
  CHECK(world.claim().grant->skip.empty());
  world.say(world.caught_up());
  CHECK(world.suspects.empty());
}

TEST_CASE("a server that breaks at every mail is not hunted for ever") {
  LeaseWorld world;
  for (std::int64_t uid = 1; uid <= 7; ++uid) {
    world.hold();
    world.end(PollOutcome::failed, ReasonClass::protocol, uid);
    CHECK((world.due_in() == 5 * LeaseWorld::second) == (uid <= 6));
    world.pass(world.due_in());
  }
}

TEST_CASE("a mail that kills its worker is hunted carefully and passed over after three strikes") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  world.inbox().last_uid = 40;
  bool is_claimed_by_another = false;
  SUBCASE("the silence tells") {}
  SUBCASE("the broker tells, by bringing the job to another") { is_claimed_by_another = true; }
  const auto die = [&] {
    if (is_claimed_by_another) {
      CHECK(world.claim("another").verdict == ClaimVerdict::drop);
    } else {
      world.pass(world.due_in());
      world.tick();
    }
    if (world.inbox().lease == LeaseState::idle) {
      CHECK(world.due_in() <= 5 * LeaseWorld::second);  // its neighbours behind it wait
      world.pass(world.due_in());
      world.tick();
    }
    REQUIRE(world.inbox().lease == LeaseState::dispatched);
  };
  const auto ask_for = [&](std::int64_t uid) {
    auto word = world.word("fetching");
    word.mailbox = messages::MailboxFacts{7, 3, false, true};
    word.asking_uid = uid;
    CHECK(world.say(word).verdict == ClaimVerdict::send);
  };
  world.hold();
  die();  // nobody knows of what
  CHECK(world.suspects.empty());
  for (std::int64_t strike = 1; strike <= 3; ++strike) {
    const auto grant = world.claim().grant;
    REQUIRE(grant.has_value());
    CHECK(grant->is_careful);
    CHECK(grant->skip.empty());
    ask_for(41);
    if (strike == 1) world.inbox().last_uid = 41;  // it came
    ask_for(42);
    die();
    REQUIRE(world.suspects.size() == 1);
    CHECK(world.suspects[42].strikes == strike);
    CHECK(world.suspects[42].uid_validity == 7);
  }
  CHECK(world.has_noted("mail_suspected"));
  CHECK(world.inbox().reason.find("UID 42") != std::string::npos);
  auto grant = world.claim().grant;
  REQUIRE(grant.has_value());
  CHECK(grant->skip == std::vector<std::int64_t>{42});
  CHECK(grant->is_careful);  // there may be another one behind it
  world.inbox().last_uid = 42;  // it arrived as what could not be fetched
  world.say(world.caught_up());
  CHECK(world.suspects.empty());
  CHECK_FALSE(world.claim().grant->is_careful);
}

TEST_CASE("who fell silent while it asked for nothing strikes no mail, and neither does who ended") {
  LeaseWorld world;
  world.hold();
  auto word = world.word("fetching");
  word.mailbox = messages::MailboxFacts{7, 3, false, true};
  word.asking_uid = 42;
  world.say(word);
  SUBCASE("it watches by now") { world.say(world.caught_up()); }
  SUBCASE("it was released") {
    world.end(PollOutcome::released);
    world.tick();
    CHECK(world.claim().verdict == ClaimVerdict::send);
  }
  world.pass(world.due_in());
  world.tick();
  CHECK(world.suspects.empty());
  CHECK(world.claim().grant->is_careful);
  world.end(PollOutcome::done);
  world.pass(world.due_in());
  world.hold();
  CHECK_FALSE(world.claim().grant->is_careful);
}

TEST_CASE("suspects of a mailbox that is no more are forgotten") {
  LeaseWorld world;
  world.suspects[41] = {"inbox", 6, 41, 2};
  world.hold();
  world.say(world.caught_up(3, 7));
  CHECK(world.suspects.empty());
}
