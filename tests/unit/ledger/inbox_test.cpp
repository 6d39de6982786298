#include "tests/unit/ledger/inbox_requests.hpp"
#include "tests/unit/ledger/lease_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using store::ConnectionState;
using store::LeaseState;

namespace {

store::ConnectionRow smtp(messages::ConnectionKind kind = messages::ConnectionKind::smtp) {
  store::ConnectionRow row;
  row.id = "smtp";
  row.kind = kind;
  return row;
}

}  // namespace

TEST_CASE("a new inbox is polled at once, and leaves alone what was there before unless asked") {
  LeaseWorld world;
  world.state.inbox.reset();
  auto create = creation();
  SUBCASE("from now on, and what a lagging clock dates a little earlier") { world.context.now += 999'999; }
  SUBCASE("since a time") { create.since_us = 5; }
  SUBCASE("everything") { create.since_us = 0; }
  world.receive(create);
  CHECK(world.last.status == 201);
  const std::int64_t whole_second = world.context.now - world.context.now % 1'000'000;
  CHECK(world.inbox().since == create.since_us.value_or(whole_second - 120'000'000));
  CHECK(world.inbox().address == "support@example.com");
  CHECK(world.inbox().due_at == world.context.now);
  CHECK(world.inbox().lease == LeaseState::idle);
  CHECK(world.inbox().state == ConnectionState::unknown);
  world.tick();
  CHECK(world.jobs() == 1);
}

TEST_CASE("an inbox that cannot be is refused with the place that is wrong") {
  LeaseWorld world;
  world.state.inbox.reset();
  auto create = creation();
  std::string pointer;
  std::int64_t status = 422;
  SUBCASE("no connection") { world.state.connection.reset(), pointer = "/connection_id"; }
  SUBCASE("another kind of connection") { world.state.connection->kind = messages::ConnectionKind::jira, pointer = "/connection_id"; }
  SUBCASE("no address") { create.address = "support", pointer = "/address"; }
  SUBCASE("no name") { create.name = "", pointer = "/name"; }
  SUBCASE("a folder with a line break") { create.folder = "INBOX\r\nA1 LOGOUT", pointer = "/folder"; }
  SUBCASE("no folder") { create.folder = "", pointer = "/folder"; }
  SUBCASE("no interval") { create.interval_ms = 0, pointer = "/interval_seconds"; }
  SUBCASE("a board that is not there") { create.board_id = "board", pointer = "/board_id"; }
  SUBCASE("an archived board") {
    create.board_id = "board", pointer = "/board_id";
    world.state.board = store::BoardRow{};
    world.state.board->state = messages::BoardState::archived;
  }
  SUBCASE("answers by a connection that is not there") { create.smtp_connection_id = "smtp", pointer = "/smtp_connection_id"; }
  SUBCASE("answers by a tracker") {
    create.smtp_connection_id = "smtp", pointer = "/smtp_connection_id";
    world.state.smtp_asked = smtp(messages::ConnectionKind::trello);
  }
  SUBCASE("moved nowhere") { create.after = messages::AfterImport::move, pointer = "/after_folder"; }
  SUBCASE("moved to itself") { create.after = messages::AfterImport::move, create.after_folder = "INBOX", pointer = "/after_folder"; }
  SUBCASE("moved to itself, spelled otherwise") { create.after = messages::AfterImport::move, create.after_folder = "inbox", pointer = "/after_folder"; }
  SUBCASE("a name that is taken") {
    world.state.inbox_named = store::MailInboxRow{};
    world.state.inbox_named->id = "other";
    pointer = "/name", status = 409;
  }
  SUBCASE("a folder that is polled already") {
    store::MailInboxRow other;
    other.id = "other";
    other.folder = "inbox";
    world.state.account_inboxes.push_back({other, *world.state.connection});
    pointer = "/folder", status = 409;
  }
  world.receive(create);
  CHECK(world.last.status == status);
  CHECK(world.last.answer.find("\"" + pointer + "\"") != std::string::npos);
  CHECK(world.last.changes.empty());
}

TEST_CASE("an inbox is made once") {
  LeaseWorld world;
  world.receive(creation());
  CHECK(world.last.status == 409);
}

TEST_CASE("an update changes what is given, and empty texts take away") {
  LeaseWorld world;
  world.inbox().board_id = "board";
  world.inbox().smtp_connection_id = "smtp";
  world.state.smtp_asked = smtp();
  auto message = update();
  message.name = "Help";
  message.board_id = "";
  message.expected_version = 1;
  world.receive(message);
  CHECK(world.last.status == 200);
  CHECK(world.inbox().name == "Help");
  CHECK_FALSE(world.inbox().board_id.has_value());
  CHECK(world.inbox().smtp_connection_id == "smtp");
  CHECK(world.inbox().version == 2);
  world.receive(message);
  CHECK(world.last.status == 412);
}

TEST_CASE("only what the holder was told stops it") {
  LeaseWorld world;
  world.hold();
  auto message = update();
  bool stops = true;
  SUBCASE("the name") { message.name = "Help", stops = false; }
  SUBCASE("what becomes of mails, which are rows") { message.after = messages::AfterImport::seen, stops = false; }
  SUBCASE("the interval") { message.interval_ms = 5'000; }
  SUBCASE("push") { message.is_push = false; }
  SUBCASE("the folder") { message.folder = "Other"; }
  SUBCASE("a pause") { message.is_paused = true; }
  world.receive(message);
  CHECK(world.last.status == 200);
  CHECK(world.inbox().is_stopping == stops);
  CHECK(world.inbox().lease == LeaseState::held);
}

TEST_CASE("a paused inbox rests wherever it was, and goes on at once when it is resumed") {
  LeaseWorld world;
  auto pause = update();
  pause.is_paused = true;
  SUBCASE("idle") { world.receive(pause); }
  SUBCASE("given out") {
    world.tick();
    world.receive(pause);
    CHECK(world.claim().verdict == messages::ClaimVerdict::drop);
  }
  SUBCASE("held") {
    world.hold();
    world.receive(pause);
    CHECK(world.say(world.word()).verdict == messages::ClaimVerdict::drop);
    world.end(messages::PollOutcome::done);
  }
  CHECK(world.inbox().lease == LeaseState::idle);
  CHECK(world.inbox().due_at == 0);
  world.inbox().failures = 4;
  auto resume = update();
  resume.is_paused = false;
  world.receive(resume);
  CHECK(world.due_in() == 0);
  CHECK(world.inbox().failures == 0);
}

TEST_CASE("an inbox with a past keeps its folder, for its cursor belongs to it") {
  LeaseWorld world;
  world.inbox().uid_validity = 7;
  auto message = update();
  message.folder = "Other";
  world.receive(message);
  CHECK(world.last.status == 409);
  message.folder = "INBOX";
  world.receive(message);
  CHECK(world.last.status == 200);
}

TEST_CASE("an inbox is deleted when no mail of it waits, and its holder is told") {
  LeaseWorld world;
  world.hold();
  world.state.is_inbox_used = true;
  world.receive(messages::InboxDelete{"inbox", "ada", {}});
  CHECK(world.last.status == 409);
  world.state.is_inbox_used = false;
  world.receive(messages::InboxDelete{"inbox", "ada", 9});
  CHECK(world.last.status == 412);
  world.receive(messages::InboxDelete{"inbox", "ada", {}});
  CHECK(world.last.status == 200);
  CHECK_FALSE(world.state.inbox.has_value());
  CHECK(world.say(world.word()).reason == "the inbox is gone");
  world.receive(messages::InboxDelete{"inbox", "ada", {}});
  CHECK(world.last.status == 404);
}

TEST_CASE("look now: also when it failed a moment ago, and when somebody watches") {
  LeaseWorld world;
  const messages::InboxPoll poll{"inbox", "ada"};
  SUBCASE("after failures") {
    world.inbox().failures = 5;
    world.inbox().due_at = world.context.now + 30 * LeaseWorld::minute;
    world.receive(poll);
    CHECK(world.due_in() == 0);
    CHECK(world.inbox().failures == 0);
  }
  SUBCASE("a holder that rests comes again") {
    world.hold();
    world.say(world.word("idling"));
    world.receive(poll);
    CHECK(world.inbox().is_stopping);
  }
  SUBCASE("a holder that fetches looks already") {
    world.hold();
    world.say(world.word("fetching"));
    world.receive(poll);
    CHECK_FALSE(world.inbox().is_stopping);
  }
  SUBCASE("a job that nobody took for long is replaced soon") {
    world.tick();
    world.inbox().due_at = world.context.now + 30 * LeaseWorld::minute;
    world.receive(poll);
    CHECK(world.due_in() == LeaseWorld::minute);
  }
  CHECK(world.last.status == 200);
}

TEST_CASE("what is paused or gone is not polled on demand") {
  LeaseWorld world;
  world.inbox().is_paused = true;
  world.receive(messages::InboxPoll{"inbox", "ada"});
  CHECK(world.last.status == 409);
  world.state.inbox.reset();
  world.receive(messages::InboxPoll{"inbox", "ada"});
  CHECK(world.last.status == 404);
}

// --- connections of the doors ---

TEST_CASE("a mailbox has no destination, an SMTP server is one of the notifier's") {
  LeaseWorld world;
  world.state.connection.reset();
  messages::ConnectionCreate create{"new", "ada", "Mail", messages::ConnectionKind::imap, "imaps://mail.example", "support", "v1.sealed"};
  bool has_destination = false;
  SUBCASE("imap") {}
  SUBCASE("smtp") { create.kind = messages::ConnectionKind::smtp, create.base_url = "smtps://mail.example", has_destination = true; }
  world.receive(create);
  CHECK(world.last.status == 201);
  bool found = false;
  for (const auto& change : world.last.changes) {
    if (const auto* destination = std::get_if<store::DestinationRow>(&change.after)) {
      found = true;
      CHECK(destination->worker == "notifier");
    }
  }
  CHECK(found == has_destination);
}

TEST_CASE("new settings of a mailbox stop the leases of its inboxes; a new name does not") {
  LeaseWorld world;
  world.hold();
  world.state.connection_inboxes = {world.inbox()};
  messages::ConnectionUpdate message;
  message.connection_id = "mailbox";
  message.actor = "ada";
  message.name = "Renamed";
  world.receive(message);
  CHECK_FALSE(world.inbox().is_stopping);
  message.secret_sealed = "v1.new";
  world.receive(message);
  CHECK(world.last.status == 200);
  CHECK(world.inbox().is_stopping);
}

TEST_CASE("a paused mailbox rests, and its inboxes go on when it is resumed") {
  LeaseWorld world;
  messages::ConnectionUpdate message;
  message.connection_id = "mailbox";
  message.actor = "ada";
  message.is_paused = true;
  world.inbox().due_at = world.context.now + LeaseWorld::minute;
  world.state.connection_inboxes = {world.inbox()};
  world.receive(message);
  CHECK(world.inbox().due_at == 0);
  world.state.connection_inboxes = {world.inbox()};
  message.is_paused = false;
  world.receive(message);
  CHECK(world.due_in() == 0);
}

TEST_CASE("a mailbox with a past keeps its host and its account") {
  LeaseWorld world;
  messages::ConnectionUpdate message;
  message.connection_id = "mailbox";
  message.actor = "ada";
  message.secret_sealed = "v1.new";
  std::int64_t after_contact = 409;
  SUBCASE("another host") { message.base_url = "imaps://other.example"; }
  SUBCASE("another account") { message.account = "sales"; }
  SUBCASE("another port of the same host") { message.base_url = "imap://mail.example:143", after_contact = 200; }
  SUBCASE("the same account") { message.account = "support", after_contact = 200; }
  world.state.connection_inboxes = {world.inbox()};
  world.receive(message);
  CHECK(world.last.status == 200);
  world.state.connection->base_url = "imaps://mail.example";
  world.state.connection->account = "support";
  world.state.connection_inboxes[0] = world.inbox();
  world.state.connection_inboxes[0].uid_validity = 7;
  world.receive(message);
  CHECK(world.last.status == after_contact);
}

TEST_CASE("a secret is sent to no other place than the one it was given for") {
  struct Row {
    const char* what;
    messages::ConnectionKind kind;
    const char* base_url;  // "" = as it was
    const char* account;
    bool has_secret;       // one is stored
    bool is_given;         // a new one comes along
    std::int64_t status;
  };
  using messages::ConnectionKind;
  const Row rows[] = {
      {"another host", ConnectionKind::imap, "imaps://other.example", "", true, false, 422},
      {"another host of an SMTP server", ConnectionKind::smtp, "smtps://other.example", "", true, false, 422},
      {"another site", ConnectionKind::jira, "https://other.example", "", true, false, 422},
      {"another account", ConnectionKind::imap, "", "sales", true, false, 422},
      {"the old host before another one", ConnectionKind::jira, "https://mail.example:443@other.example", "", true, false, 422},
      {"another host and its secret", ConnectionKind::imap, "imaps://other.example", "", true, true, 200},
      {"another account and its secret", ConnectionKind::smtp, "", "sales", true, true, 200},
      {"another port", ConnectionKind::imap, "imaps://mail.example:1993", "", true, false, 200},
      {"the same account", ConnectionKind::imap, "", "support", true, false, 200},
      {"no secret to send", ConnectionKind::smtp, "smtps://other.example", "", false, false, 200},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    LeaseWorld world;
    world.state.connection->kind = row.kind;
    if (!row.has_secret) world.state.connection->secret_sealed.clear();
    messages::ConnectionUpdate message;
    message.connection_id = "mailbox";
    message.actor = "ada";
    if (*row.base_url != 0) message.base_url = row.base_url;
    if (*row.account != 0) message.account = row.account;
    if (row.is_given) message.secret_sealed = "v1.new";
    world.receive(message);
    CHECK(world.last.status == row.status);
    CHECK((world.last.answer.find("\"/secret\"") != std::string::npos) == (row.status == 422));
    if (row.status == 422) CHECK(world.state.connection->base_url == "imaps://mail.example");
  }
}

TEST_CASE("a mailbox's test names the folder and goes to the poller, an SMTP server's to the notifier") {
  LeaseWorld world;
  messages::ConnectionTest test;
  test.connection_id = "mailbox";
  test.actor = "ada";
  test.folder = "Support";
  world.receive(test);
  CHECK(world.last.status == 202);
  REQUIRE(world.last.must_arrive.size() == 1);
  CHECK(world.last.must_arrive[0].routing_key == "imap_poller.test");
  CHECK(world.last.must_arrive[0].envelope.type == "imap_poller.test.v1");
  CHECK(codec::decode<messages::ImapPollerTest>(world.last.must_arrive[0].body)->folder == "Support");
  world.state.connection->kind = messages::ConnectionKind::smtp;
  world.receive(test);
  CHECK(world.last.status == 422);  // it has no folders
  test.folder.reset();
  world.receive(test);
  REQUIRE(world.last.must_arrive.size() == 1);
  CHECK(world.last.must_arrive[0].envelope.type == "notifier.test.v1");
  CHECK(codec::decode<messages::NotifierTest>(world.last.must_arrive[0].body)->site.connection_id == "mailbox");
}

TEST_CASE("a passed test lets the inboxes try again that wait out a failure") {
  LeaseWorld world;
  world.hold();
  world.end(messages::PollOutcome::failed, messages::ReasonClass::credentials);
  CHECK(world.due_in() > 0);
  world.state.connection_inboxes = {world.inbox()};
  world.state.test = store::ConnectionTestRow{"test", "mailbox", "", world.context.now, 0, store::RunState::running};
  messages::TestOutcome outcome;
  outcome.test_id = "test";
  outcome.connection_id = "mailbox";
  outcome.passed = true;
  world.receive(outcome);
  CHECK(world.due_in() == 0);
  CHECK(world.state.connection->state == ConnectionState::ok);
}
