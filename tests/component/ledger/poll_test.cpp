// Mailboxes on a real database: leases, their silence, what is carried along, and what changes them.

#include "tests/component/ledger/post_house.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::PollOutcome;
using store::LeaseState;

TEST_CASE("a lease from the first poll to the next") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  auto jobs = house.polls();
  REQUIRE(jobs.size() == 1);
  CHECK(house.claim_poll(jobs[0]).grant->site.connection_id == "imap");
  CHECK(house.say(jobs[0]).verdict == ClaimVerdict::send);
  CHECK(house.inbox().state == store::ConnectionState::ok);
  for (int minute = 0; minute < 19; ++minute) {
    house.pass(std::chrono::minutes{1});
    CHECK(house.say(jobs[0]).verdict == ClaimVerdict::send);
  }
  CHECK(house.polls().empty());
  house.end(jobs[0], PollOutcome::done);
  const auto next = house.polls();
  REQUIRE(next.size() == 1);
  CHECK(next[0].dispatch_no == jobs[0].dispatch_no + 1);
}

TEST_CASE("a killed poller's lease comes back: by the broker's second try at once, else by its silence") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  const auto job = house.polls().at(0);
  CHECK(house.claim_poll(job).verdict == ClaimVerdict::send);
  std::vector<messages::ImapPoll> next;
  SUBCASE("second try") {
    CHECK(house.claim_poll(job, "another").verdict == ClaimVerdict::drop);
    next = house.polls();
  }
  SUBCASE("silence") {
    house.pass(std::chrono::milliseconds{149'999});
    CHECK(house.polls().empty());
    house.pass(std::chrono::milliseconds{1});
    next = house.polls();
  }
  REQUIRE(next.size() == 1);
  CHECK(house.say(job).verdict == ClaimVerdict::drop);
  CHECK(house.claim_poll(next[0], "another").verdict == ClaimVerdict::send);
  house.end(job, PollOutcome::failed);  // the old one's last word
  CHECK(house.inbox().lease == LeaseState::held);
}

TEST_CASE("while the broker is away nobody is silent, and what is due goes out when it is back") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  house.make_inbox("other", "Other");
  const auto jobs = house.polls();
  REQUIRE(jobs.size() == 2);
  CHECK(house.claim_poll(jobs[0]).verdict == ClaimVerdict::send);
  house.publisher.link = broker::LinkState::connecting;
  house.clock.advance(std::chrono::minutes{10});
  house.settle(false);
  CHECK(house.inbox("inbox").lease == LeaseState::held);
  CHECK(house.inbox("other").dispatch_no == jobs[1].dispatch_no);
  house.publisher.link = broker::LinkState::open;
  house.settle();
  CHECK(house.polls().size() == 2);
}

TEST_CASE("a ledger that dies forgets nothing of its leases") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  const auto job = house.polls().at(0);
  house.claim_poll(job);
  house.die();
  CHECK(house.say(job).verdict == ClaimVerdict::send);
  house.die();
  house.pass(std::chrono::milliseconds{150'000});
  CHECK(house.polls().size() == 1);
}

TEST_CASE("the wall clock moves, the leases do not") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  const auto job = house.polls().at(0);
  house.claim_poll(job);
  house.clock.jump_wall(std::chrono::hours{24});
  house.settle();
  CHECK(house.polls().empty());
  CHECK(house.say(job).verdict == ClaimVerdict::send);
  house.clock.jump_wall(-std::chrono::hours{24});
  house.settle();
  house.pass(std::chrono::milliseconds{150'000});
  CHECK(house.polls().size() == 1);
}

TEST_CASE("a mailbox whose settings change is watched anew with them") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  house.make_inbox("other", "Other");
  const auto jobs = house.polls();
  for (const auto& job : jobs) CHECK(house.claim_poll(job).verdict == ClaimVerdict::send);
  messages::ConnectionUpdate update;
  update.connection_id = "imap";
  update.actor = "ada";
  update.secret_sealed = "v1.new";
  CHECK(house.command(update).status == 200);
  for (const auto& job : jobs) {
    CHECK(house.say(job).verdict == ClaimVerdict::drop);
    house.end(job, PollOutcome::done);
  }
  const auto again = house.polls();
  REQUIRE(again.size() == 2);
  CHECK(house.claim_poll(again[0]).grant->site.secret_sealed == "v1.new");
}

TEST_CASE("a paused mailbox is not polled until it is resumed, also across a restart") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  const auto job = house.polls().at(0);
  messages::ConnectionUpdate update;
  update.connection_id = "imap";
  update.actor = "ada";
  update.is_paused = true;
  CHECK(house.command(update).status == 200);
  CHECK(house.claim_poll(job).verdict == ClaimVerdict::drop);
  house.die();
  house.pass(std::chrono::hours{1});
  CHECK(house.polls().empty());
  CHECK(house.command(messages::InboxPoll{"inbox", "ada"}).status == 409);
  update.is_paused = false;
  CHECK(house.command(update).status == 200);
  CHECK(house.polls().size() == 1);
}

TEST_CASE("chores and suspects live with the inbox and go with it") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  REQUIRE(house.database.execute("UPDATE inboxes SET uid_validity = 7, last_uid = 40", {}).ok());
  for (const std::int64_t uid : {1, 2}) {
    REQUIRE(store::insert(house.database, store::InboxChoreRow{"chore" + std::to_string(uid), "inbox", 7, uid, messages::ChoreVerb::flag, "\\Seen",
                                                               store::ChoreState::waiting, 0, "", 0})
                .ok());
  }
  auto job = house.polls().at(0);
  CHECK(house.claim_poll(job).grant->chores.size() == 2);
  CHECK(house.say(job, {{"chore1", messages::ChoreResult::done, "OK"}}).chores.empty());
  CHECK(house.number("SELECT COUNT(*) FROM inbox_chores WHERE id = 'chore1'") == 0);
  house.end(job, PollOutcome::failed, 41);
  house.pass(std::chrono::seconds{5});
  job = house.polls().at(0);
  const auto grant = house.claim_poll(job).grant;
  CHECK(grant->is_careful);
  REQUIRE(grant->chores.size() == 1);
  CHECK(grant->chores[0].chore_id == "chore2");
  CHECK(house.number("SELECT COUNT(*) FROM inbox_suspects") == 1);
  CHECK(house.command(messages::InboxDelete{"inbox", "ada", {}}).status == 200);
  CHECK(house.number("SELECT COUNT(*) FROM inbox_suspects") == 0);
  CHECK(house.number("SELECT COUNT(*) FROM inbox_chores") == 0);
  CHECK(house.say(job).verdict == ClaimVerdict::drop);
  house.pass(std::chrono::hours{1});
  CHECK(house.polls().empty());
}

TEST_CASE("names and folders are there once, and what is used is not deleted") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  messages::InboxCreate create;
  create.inbox_id = "second";
  create.actor = "ada";
  create.name = "inbox inbox";
  create.connection_id = "imap";
  create.address = "second@example.com";
  create.folder = "Second";
  CHECK(house.command(create).status == 409);
  create.name = "second";
  create.folder = "INBOX";
  CHECK(house.command(create).status == 409);
  // The same mailbox by another connection is the same mailbox.
  auto again = store::select_one<store::ConnectionRow>(house.database, "WHERE id = 'imap'", {});
  REQUIRE((again.ok() && again->has_value()));
  (*again)->id = (*again)->name = "imap again";
  REQUIRE(store::insert(house.database, **again).ok());
  create.connection_id = "imap again";
  CHECK(house.command(create).status == 409);
  create.connection_id = "imap";
  create.folder = "Second";
  create.board_id = "desk";
  create.smtp_connection_id = "smtp";
  CHECK(house.command(create).status == 201);

  messages::InboxUpdate update;
  update.inbox_id = "second";
  update.actor = "ada";
  update.folder = "INBOX";
  CHECK(house.command(update).status == 409);
  update.folder.reset();
  update.board_id = "nowhere";
  CHECK(house.command(update).status == 422);
  update.board_id.reset();
  update.is_paused = true;
  CHECK(house.command(update).status == 200);

  messages::SettingsUpdate settings;
  settings.actor = "ada";
  settings.smtp_connection_id = "";
  CHECK(house.command(settings).status == 200);
  CHECK(house.command(messages::ConnectionDelete{"imap", "ada", {}}).status == 409);
  CHECK(house.command(messages::ConnectionDelete{"smtp", "ada", {}}).status == 409);
  CHECK(house.command(messages::BoardDelete{"desk", "ada", {}}).status == 409);
  CHECK(house.command(messages::InboxDelete{"second", "ada", {}}).status == 200);
  CHECK(house.command(messages::ConnectionDelete{"smtp", "ada", {}}).status == 200);
  CHECK(house.command(messages::InboxDelete{"inbox", "ada", {}}).status == 200);
  CHECK(house.command(messages::ConnectionDelete{"imap", "ada", {}}).status == 200);
}

TEST_CASE("an SMTP server that the settings name is not deleted") {
  PostHouse house;
  house.make_doors();
  CHECK(house.command(messages::ConnectionDelete{"smtp", "ada", {}}).status == 409);
}

TEST_CASE("hundreds of inboxes are given out, each once") {
  PostHouse house;
  house.make_doors();
  for (int i = 0; i < 250; ++i) house.make_inbox("inbox" + std::to_string(i), "folder" + std::to_string(i));
  CHECK(house.polls().size() == 250);
  house.pass(std::chrono::seconds{59});
  CHECK(house.polls().empty());
  house.pass(std::chrono::seconds{2});
  CHECK(house.polls().size() == 250);  // nobody took them
}

TEST_CASE("a job that the broker gave up on is only noted: its inbox heals by itself") {
  PostHouse house;
  house.make_doors();
  house.make_inbox();
  const auto job = house.polls().at(0);
  house.arrive(house.delivery(messages::ImapPoll::type, codec::encode(job), "ledger", "standby"));
  house.settle();
  CHECK(house.number("SELECT COUNT(*) FROM standby") == 0);
  house.pass(std::chrono::minutes{1});
  CHECK(house.polls().size() == 1);
}
