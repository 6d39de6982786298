#include "tests/unit/ledger/lease_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::PollOutcome;
using messages::ReasonClass;
using store::ConnectionState;
using store::LeaseState;

TEST_CASE("an inbox that is due is given out with a number of its own") {
  LeaseWorld world;
  world.pass(-1);
  world.tick();
  CHECK(world.jobs() == 0);
  world.pass(1);
  world.tick();
  REQUIRE(world.jobs() == 1);
  CHECK(world.last.must_arrive[0].routing_key == "imap_poller");
  const auto job = codec::decode<messages::ImapPoll>(world.last.must_arrive[0].body);
  CHECK(job->inbox_id == "inbox");
  CHECK(job->dispatch_no == 1);
  CHECK(world.inbox().lease == LeaseState::dispatched);
  CHECK(world.due_in() == 60 * LeaseWorld::second);
}

TEST_CASE("what is paused is not given out, and nothing looks at it again by itself") {
  LeaseWorld world;
  SUBCASE("the inbox") { world.inbox().is_paused = true; }
  SUBCASE("its connection") { world.state.connection->is_paused = true; }
  SUBCASE("whose connection is gone") { world.state.connection.reset(); }
  world.tick();
  CHECK(world.jobs() == 0);
  CHECK(world.inbox().due_at == 0);
  world.pass(LeaseWorld::minute);
  world.tick();
  CHECK(world.jobs() == 0);
}

TEST_CASE("every grant names the time, for the mailbox may be made anew; later ones the cursor too") {
  LeaseWorld world;
  world.tick();
  auto grant = world.claim().grant;
  REQUIRE(grant.has_value());
  CHECK(grant->site.secret_sealed == "v1.sealed");
  CHECK(grant->folder == "INBOX");
  CHECK_FALSE(grant->cursor.has_value());
  CHECK(grant->since_us == world.inbox().since);
  CHECK(grant->lease_ms == 1'200'000);
  CHECK(grant->is_push);
  CHECK_FALSE(grant->is_careful);
  world.inbox().uid_validity = 7;
  world.inbox().last_uid = 12;
  grant = world.claim().grant;
  REQUIRE(grant->cursor.has_value());
  CHECK(grant->cursor->uid_validity == 7);
  CHECK(grant->cursor->last_uid == 12);
  CHECK(grant->since_us == world.inbox().since);
  world.inbox().uid_validity = 0;
  world.inbox().since = 0;  // everything there is
  CHECK_FALSE(world.claim().grant->since_us.has_value());
}

TEST_CASE("the same token hears the same answer, what is older or foreign is told to drop") {
  LeaseWorld world;
  world.hold();
  const auto until = world.inbox().lease_until;
  world.pass(10 * LeaseWorld::second);
  const auto again = world.claim();
  CHECK(again.verdict == ClaimVerdict::send);
  CHECK(again.grant->lease_ms == 1'190'000);  // of the same lease
  CHECK(world.inbox().lease_until == until);
  CHECK(world.claim("token", 0).verdict == ClaimVerdict::drop);
  CHECK(world.inbox().lease == LeaseState::held);
}

TEST_CASE("a job that comes to another token tells of a lost holder: both drop, and a new number goes out at once") {
  LeaseWorld world;
  world.hold();
  const auto foreign = world.claim("other");
  CHECK(foreign.verdict == ClaimVerdict::drop);
  CHECK_FALSE(foreign.grant.has_value());
  CHECK(world.jobs() == 1);
  CHECK(world.inbox().dispatch_no == 2);
  CHECK(world.inbox().lease == LeaseState::dispatched);
  auto old_word = world.word();
  old_word.dispatch_no = 1;
  CHECK(world.say(old_word).verdict == ClaimVerdict::drop);
  // Again and again: something is wrong, and it must not spin.
  CHECK(world.claim().verdict == ClaimVerdict::send);
  world.claim("other");
  CHECK(world.jobs() == 0);
  CHECK(world.inbox().lease == LeaseState::idle);
  CHECK(world.due_in() == 45 * LeaseWorld::second);
  CHECK(world.inbox().state == ConnectionState::failing);
}

TEST_CASE("a claim for what is not given out, or was paused meanwhile, is told to drop") {
  LeaseWorld world;
  CHECK(world.claim().verdict == ClaimVerdict::drop);
  world.tick();
  world.state.connection->is_paused = true;
  CHECK(world.claim().verdict == ClaimVerdict::drop);
  CHECK(world.inbox().lease == LeaseState::idle);
  CHECK(world.inbox().due_at == 0);
  world.state.inbox.reset();
  CHECK(world.claim().reason == "the inbox is gone");
}

TEST_CASE("a word renews the lease and tells how it goes") {
  LeaseWorld world;
  world.hold();
  world.pass(LeaseWorld::minute);
  CHECK(world.say(world.word("fetching")).verdict == ClaimVerdict::send);
  CHECK(world.due_in() == 150 * LeaseWorld::second);
  CHECK(world.inbox().stage == "fetching");
  CHECK(world.inbox().state == ConnectionState::unknown);
  world.say(world.caught_up(3));
  CHECK(world.inbox().state == ConnectionState::ok);
  CHECK(world.state.connection->state == ConnectionState::ok);
  CHECK(world.inbox().caught_up_at == world.context.now);
  CHECK(world.inbox().server_exists == 3);
  CHECK(world.inbox().can_push);
  CHECK(world.has_noted("inbox_ok"));
  const auto entries = world.history.size();
  world.say(world.caught_up(4));
  CHECK(world.history.size() == entries);  // nothing changed
}

TEST_CASE("silence takes the lease away, and the old holder is told so") {
  LeaseWorld world;
  world.hold();
  world.pass(150 * LeaseWorld::second - 1);
  world.tick();
  CHECK(world.jobs() == 0);
  world.pass(1);
  world.tick();
  CHECK(world.jobs() == 1);
  CHECK(world.inbox().dispatch_no == 2);
  auto late = world.word();
  late.dispatch_no = 1;
  CHECK(world.say(late).verdict == ClaimVerdict::drop);
  CHECK(world.inbox().lease == LeaseState::dispatched);
  CHECK(world.claim("fresh").verdict == ClaimVerdict::send);
}

TEST_CASE("a job that nobody takes is replaced ever more seldom") {
  LeaseWorld world;
  world.tick();
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 7; ++i) {
    waits.push_back(world.due_in() / LeaseWorld::second);
    world.pass(world.due_in());
    world.tick();
    CHECK(world.jobs() == 1);
  }
  CHECK(waits == std::vector<std::int64_t>{60, 120, 240, 480, 960, 1800, 1800});
  CHECK(world.inbox().state == ConnectionState::failing);
  CHECK(world.inbox().reason.find("imap_poller") != std::string::npos);
  CHECK(world.state.connection->state == ConnectionState::unknown);  // the far side did nothing wrong
  CHECK(world.claim().verdict == ClaimVerdict::send);
  world.say(world.caught_up());
  CHECK(world.inbox().failures == 0);
}

TEST_CASE("a lease that ended in peace begins again: at once where the server pushes, else after the interval") {
  LeaseWorld world;
  world.hold();
  SUBCASE("pushed") {
    world.say(world.caught_up());
    world.pass(19 * LeaseWorld::minute);
    world.end(PollOutcome::done);
    CHECK(world.due_in() == 0);
  }
  SUBCASE("not wanted") {
    world.inbox().is_push = false;
    world.pass(19 * LeaseWorld::minute);
    world.end(PollOutcome::done);
    CHECK(world.due_in() == 60 * LeaseWorld::second);
  }
  SUBCASE("ended much too early: soon, but not at once") {
    world.inbox().interval_ms = 900'000;
    world.say(world.caught_up());
    world.pass(LeaseWorld::second);
    world.end(PollOutcome::done);
    CHECK(world.due_in() == 60 * LeaseWorld::second);
  }
  SUBCASE("a server that cannot push is not watched") {
    auto word = world.caught_up();
    word.mailbox->can_push = false;
    world.say(word);
    messages::PollEnded end{"inbox", world.inbox().dispatch_no, "token"};
    world.pass(19 * LeaseWorld::minute);
    world.receive(end);
    CHECK(world.due_in() == 60 * LeaseWorld::second);
  }
  SUBCASE("released by a worker that stops") {
    world.end(PollOutcome::released);
    CHECK(world.due_in() == 0);
    CHECK(world.inbox().failures == 0);
  }
  CHECK(world.inbox().lease == LeaseState::idle);
  CHECK(world.inbox().token.empty());
}

TEST_CASE("a failed poll comes back after a wait that doubles up to the cap") {
  LeaseWorld world;
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 8; ++i) {
    world.hold();
    world.end(PollOutcome::failed, ReasonClass::credentials);
    waits.push_back(world.due_in() / LeaseWorld::second);
    world.pass(world.due_in());
  }
  CHECK(waits == std::vector<std::int64_t>{45, 90, 180, 360, 720, 1350, 1350, 1350});
  CHECK(world.inbox().state == ConnectionState::failing);
  CHECK(world.inbox().reason_class == ReasonClass::credentials);
  CHECK(world.inbox().reason == "because");
  CHECK(world.state.connection->state == ConnectionState::failing);
  CHECK(std::ranges::count(world.history, "inbox_failing", &store::HistoryRow::action) == 1);
  world.hold();
  world.say(world.caught_up());
  CHECK(world.inbox().state == ConnectionState::ok);
  CHECK(world.inbox().reason.empty());
  world.end(PollOutcome::failed, ReasonClass::not_found);
  CHECK(world.due_in() == 45 * LeaseWorld::second);
  CHECK(world.state.connection->state == ConnectionState::ok);  // a folder that is missing is the inbox's own trouble
}

TEST_CASE("what is changed stops the lease at its next word, and what failed with the old settings proves nothing") {
  LeaseWorld world;
  world.hold();
  world.inbox().is_stopping = true;
  CHECK(world.say(world.word()).verdict == ClaimVerdict::drop);
  CHECK(world.inbox().lease == LeaseState::held);  // until it says that it is out
  SUBCASE("done") { world.end(PollOutcome::done); }
  SUBCASE("failed") { world.end(PollOutcome::failed, ReasonClass::credentials); }
  CHECK(world.due_in() == 0);
  CHECK(world.inbox().failures == 0);
  CHECK(world.inbox().state == ConnectionState::unknown);
  CHECK_FALSE(world.inbox().is_stopping);
}

TEST_CASE("who asks again without having heard anything gets today's settings, and need not stop for them") {
  LeaseWorld world;
  world.hold();
  world.inbox().is_stopping = true;
  world.inbox().folder = "Other";
  CHECK(world.claim().grant->folder == "Other");
  CHECK_FALSE(world.inbox().is_stopping);
  world.say(world.word());
  world.inbox().is_stopping = true;
  world.claim();
  CHECK(world.inbox().is_stopping);
}

TEST_CASE("a holder that overstays its lease is told to go") {
  LeaseWorld world;
  world.hold();
  world.pass(20 * LeaseWorld::minute);
  CHECK(world.say(world.word()).verdict == ClaimVerdict::send);  // on its way out
  world.pass(LeaseWorld::minute);
  CHECK(world.say(world.word()).verdict == ClaimVerdict::drop);
}

TEST_CASE("the word of somebody else changes nothing, but what was done on the server was done") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  world.add_chore("chore", 4);
  world.hold();
  const auto before = world.inbox();
  auto word = world.caught_up(99);
  word.token = "other";
  word.chores = {{"chore", messages::ChoreResult::done, "OK"}};
  CHECK(world.say(word).verdict == ClaimVerdict::drop);
  CHECK(world.inbox() == before);
  CHECK(world.chores.empty());
  word.token = "token";
  word.dispatch_no = before.dispatch_no - 1;  // the same holder, of a lease that is over
  CHECK(world.say(word).verdict == ClaimVerdict::drop);
  CHECK(world.inbox() == before);
}

TEST_CASE("a chore that is done stays done, whatever is said of it later") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  world.add_chore("chore", 4);
  world.hold();
  auto word = world.word();
  word.chores = {{"chore", messages::ChoreResult::done, "OK"}};
  world.say(word);
  CHECK(world.chores.empty());
  for (const auto result : {messages::ChoreResult::done, messages::ChoreResult::refused, messages::ChoreResult::failed}) {
    word.chores = {{"chore", result, "NO such mail"}};
    world.say(word);
    CHECK(world.chores.empty());
  }
  CHECK_FALSE(world.has_noted("chore_failed"));
}

TEST_CASE("what was moved or deleted stays to be counted") {
  for (const auto verb : {messages::ChoreVerb::move, messages::ChoreVerb::erase}) {
    LeaseWorld world;
    world.inbox().uid_validity = 7;
    world.add_chore("chore", 4);
    world.chores["chore"].verb = verb;
    world.hold();
    auto word = world.word();
    word.chores = {{"chore", messages::ChoreResult::done, "OK"}};
    world.say(word);
    REQUIRE(world.chores.contains("chore"));
    CHECK(world.chores["chore"].state == store::ChoreState::done);
  }
}

TEST_CASE("chores go along with the grant and, when new, with the next word, each once in a lease") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  world.add_chore("first", 1);
  world.tick();
  CHECK(world.claim().grant->chores.size() == 1);
  CHECK(world.say(world.word()).chores.empty());
  world.add_chore("second", 2);
  auto answer = world.say(world.word());
  REQUIRE(answer.chores.size() == 1);
  CHECK(answer.chores[0].chore_id == "second");
  CHECK(answer.chores[0].argument == "\\Seen");
  CHECK(world.say(world.word()).chores.empty());
  auto word = world.word();
  word.chores = {{"first", messages::ChoreResult::done, "OK"}, {"unknown", messages::ChoreResult::done, ""}};
  world.say(word);
  CHECK_FALSE(world.chores.contains("first"));  // a flag that is set leaves nothing behind
  world.end(PollOutcome::released);
  world.tick();
  const auto grant = world.claim("token").grant;
  REQUIRE(grant->chores.size() == 1);  // what was not reported comes again
  CHECK(grant->chores[0].chore_id == "second");
}

TEST_CASE("a chore that is refused ends, one that fails is tried a few times") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  world.add_chore("chore", 1);
  world.hold();
  auto word = world.word();
  SUBCASE("refused") {
    word.chores = {{"chore", messages::ChoreResult::refused, "no such folder"}};
    world.say(word);
    CHECK(world.chores["chore"].state == store::ChoreState::failed);
    CHECK(world.chores["chore"].reason == "no such folder");
    CHECK(world.has_noted("chore_failed"));
  }
  SUBCASE("failed") {
    word.chores = {{"chore", messages::ChoreResult::failed, "NO try later"}};
    for (int i = 1; i < 5; ++i) {
      world.say(word);
      CHECK(world.chores["chore"].state == store::ChoreState::waiting);
      world.claim();  // carries it again
    }
    world.say(word);
    CHECK(world.chores["chore"].state == store::ChoreState::failed);
  }
}

TEST_CASE("a chore of another UIDVALIDITY is never done") {
  LeaseWorld world;
  world.inbox().uid_validity = 8;
  world.add_chore("chore", 1, 7);
  world.tick();
  CHECK(world.claim().grant->chores.empty());
  CHECK(world.chores["chore"].state == store::ChoreState::failed);
}

TEST_CASE("mails left alone are counted once, whatever comes again") {
  LeaseWorld world;
  world.hold();
  auto word = world.caught_up(100);
  word.older_count = 60;
  world.word_id = "00000000-0000-4000-8000-00000000000a";
  world.say(word);
  world.say(word);  // brought again by the broker
  CHECK(world.inbox().server_older == 60);
  world.word_id = "00000000-0000-4000-8000-00000000000b";
  word.older_count = 30;
  world.say(word);
  CHECK(world.inbox().server_older == 90);
  world.word_id.clear();
  SUBCASE("the next lease has no cursor either: it counts anew") {
    world.pass(LeaseWorld::minute);
    world.end(PollOutcome::released);
    world.pass(LeaseWorld::second);
    world.hold();
    word = world.caught_up(101);
    word.older_count = 90;
    world.say(word);
    CHECK(world.inbox().server_older == 90);
  }
  SUBCASE("with a cursor there is nothing to count") {
    world.inbox().uid_validity = 7;
    world.inbox().last_uid = 101;
    world.pass(LeaseWorld::minute);
    world.end(PollOutcome::released);
    world.hold();
    world.say(world.caught_up(101));
    CHECK(world.inbox().server_older == 90);
  }
  SUBCASE("under a new UIDVALIDITY each lease counts anew, and all its words together") {
    world.inbox().uid_validity = 7;
    world.inbox().last_uid = 101;
    for (int lease = 0; lease < 2; ++lease) {
      world.pass(LeaseWorld::minute);
      world.end(PollOutcome::released);
      world.pass(LeaseWorld::second);
      world.hold();
      for (int i = 0; i < 3; ++i) {
        word = world.caught_up(101, 8);
        word.older_count = i < 2 ? 20 : 0;
        world.say(word);
      }
      CHECK(world.inbox().server_older == 40);
    }
  }
  SUBCASE("a cursor whose UIDs fell: all is listed, and counted, again") {
    world.inbox().uid_validity = 7;
    world.inbox().last_uid = 500;
    world.pass(LeaseWorld::minute);
    world.end(PollOutcome::released);
    world.pass(LeaseWorld::second);
    world.hold();
    word = world.caught_up(101);
    word.older_count = 95;
    world.say(word);
    CHECK(world.inbox().server_older == 95);
  }
}

TEST_CASE("what the server says to whom it may concern is kept") {
  LeaseWorld world;
  world.hold();
  auto word = world.word();
  word.notice = "[ALERT] maintenance at noon";
  world.say(word);
  CHECK(world.has_noted("server_said"));
}
