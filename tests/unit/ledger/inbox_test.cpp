#include "tests/unit/ledger/lease_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using store::ConnectionState;
using store::LeaseState;

namespace {

messages::InboxCreate creation() {
  messages::InboxCreate create;
  create.inbox_id = "inbox";
  create.actor = "ada";
  create.name = "Support";
  create.connection_id = "mailbox";
  create.address = "Support@Example.COM";
  create.folder = "INBOX";
  return create;
}

messages::InboxUpdate update() {
  messages::InboxUpdate message;
  message.inbox_id = "inbox";
  message.actor = "ada";
  return message;
}

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

TEST_CASE("two inboxes in one place would bring each mail twice, whatever their connections are called") {
  struct Row {
    const char* base_url;
    const char* account;
    const char* folder;
    bool is_same;
  };
  // The first one: imaps://mail.example, support, INBOX.
  const Row rows[] = {{"imaps://mail.example", "support", "INBOX", true},      {"imaps://Mail.Example:993/", "Support", "Inbox", true},
                      {"imap://mail.example", "support", "INBOX", true},       {"imap://mail.example:143", "support", "INBOX", true},
                      {"imaps://mail.example.", "support", "INBOX", true},     {"imaps://mail.example.:993", "support", "INBOX", true},
                      {"imaps://mail.example:1993", "support", "INBOX", false}, {"imaps://mail2.example", "support", "INBOX", false},
                      {"imaps://mail.example", "sales", "INBOX", false},       {"imaps://mail.example", "support", "Orders", false},
                      {"imaps://mail.example", "support", "inbox/x", false}};
  enum class Way { new_inbox, other_folder, other_connection };
  const auto is_refused = [](const Row& row, Way way) {
    LeaseWorld world;
    AccountInbox first{world.inbox(), *world.state.connection};
    first.inbox.id = "first";
    first.inbox.name = "The first";
    first.connection.id = "another";
    first.connection.name = "Another";
    world.state.account_inboxes = {first};
    if (way != Way::other_connection) {
      world.state.connection->base_url = row.base_url;
      world.state.connection->account = row.account;
    }
    if (way == Way::new_inbox) {
      world.state.inbox.reset();
      auto create = creation();
      create.folder = row.folder;
      world.receive(create);
    } else if (way == Way::other_folder) {
      world.inbox().folder = "Before";
      auto message = update();
      message.folder = row.folder;
      world.receive(message);
    } else {
      world.state.connection->base_url = "imaps://before.example";
      world.inbox().folder = row.folder;
      world.state.connection_inboxes = {world.inbox()};
      messages::ConnectionUpdate message;
      message.connection_id = "mailbox";
      message.actor = "ada";
      message.base_url = row.base_url;
      message.account = row.account;
      message.secret_sealed = "v1.new";
      world.receive(message);
    }
    if (world.last.status != 409) return false;
    CHECK(world.last.answer.find("The first") != std::string::npos);
    CHECK(world.last.answer.find("Another") != std::string::npos);
    CHECK(world.last.answer.find(way == Way::other_connection ? "/account" : "/folder") != std::string::npos);
    CHECK(world.last.changes.empty());
    return true;
  };
  for (const auto& row : rows) {
    for (const Way way : {Way::new_inbox, Way::other_folder, Way::other_connection}) {
      CAPTURE(row.base_url);
      CAPTURE(row.account);
      CAPTURE(row.folder);
      CAPTURE(static_cast<int>(way));
      CHECK(is_refused(row, way) == row.is_same);
    }
  }
}

TEST_CASE("no update makes an inbox move its mails to where they are") {
  using messages::AfterImport;
  LeaseWorld world;
  auto message = update();
  SUBCASE("by what it does") {
    world.inbox().after_folder = "Inbox";
    message.after = AfterImport::move;
  }
  SUBCASE("by where it moves them") {
    world.inbox().after_import = AfterImport::move, world.inbox().after_folder = "Done";
    message.after_folder = "inbox";
  }
  SUBCASE("by where it polls") {
    world.inbox().after_import = AfterImport::move, world.inbox().after_folder = "Inbox", world.inbox().folder = "Orders";
    message.folder = "INBOX";
  }
  world.receive(message);
  CHECK(world.last.status == 422);
  CHECK(world.last.answer.find("/after_folder") != std::string::npos);
  CHECK(world.last.changes.empty());
}

TEST_CASE("an inbox that moves its mails to where they are already can be paused, and mended") {
  LeaseWorld world;
  world.inbox().after_import = messages::AfterImport::move;
  world.inbox().after_folder = "inbox";
  auto message = update();
  SUBCASE("paused") { message.is_paused = true; }
  SUBCASE("mended") { message.after_folder = "Done"; }
  world.receive(message);
  CHECK(world.last.status == 200);
}

TEST_CASE("no inbox polls the folder that another one of its mailbox moves mails to") {
  using messages::AfterImport;
  enum class Way { new_inbox, update, other_connection };
  struct Row {
    const char* base_url;                               // the first one: imaps://mail.example, support
    const char *first_folder, *first_after;             // "": it moves nothing
    const char *folder, *after;
    const char* refused_at;                             // "": it is not
  };
  const Row rows[] = {{"imaps://mail.example", "INBOX", "Done", "Done", "", "/folder"},
                      {"imaps://Mail.example.:993", "INBOX", "Done", "Done", "", "/folder"},
                      {"imaps://mail.example", "Orders", "inbox", "INBOX", "", "/folder"},
                      {"imaps://mail.example", "Done", "", "INBOX", "Done", "/after_folder"},
                      {"imaps://mail.example", "INBOX", "", "Done", "Inbox", "/after_folder"},
                      {"imaps://mail.example", "INBOX", "Done", "Done", "INBOX", "/folder"},
                      {"imaps://mail.example", "INBOX", "Done", "Orders", "Done", ""},
                      {"imaps://mail.example", "INBOX", "done", "Done", "", ""},
                      {"imaps://mail2.example", "INBOX", "Done", "Done", "INBOX", ""}};
  const auto refused_at = [](const Row& row, Way way) -> std::string {
    LeaseWorld world;
    const auto set = [](store::MailInboxRow& inbox, const char* folder, std::string after) {
      inbox.folder = folder;
      inbox.after_import = after.empty() ? AfterImport::seen : AfterImport::move;
      inbox.after_folder = after.empty() ? "Not used" : after;
    };
    AccountInbox first{world.inbox(), *world.state.connection};
    first.inbox.id = "first";
    first.inbox.name = "The first";
    set(first.inbox, row.first_folder, row.first_after);
    first.connection.id = "another";
    first.connection.name = "Another";
    world.state.account_inboxes = {first};
    store::MailInboxRow wanted;
    set(wanted, row.folder, row.after);
    if (way != Way::other_connection) world.state.connection->base_url = row.base_url;
    if (way == Way::new_inbox) {
      world.state.inbox.reset();
      auto create = creation();
      create.folder = wanted.folder, create.after = wanted.after_import, create.after_folder = wanted.after_folder;
      world.receive(create);
    } else if (way == Way::update) {
      world.inbox().folder = "Before";
      auto message = update();
      message.folder = wanted.folder, message.after = wanted.after_import, message.after_folder = wanted.after_folder;
      world.receive(message);
    } else {
      world.state.connection->base_url = "imaps://before.example";
      set(world.inbox(), row.folder, row.after);
      world.state.connection_inboxes = {world.inbox()};
      messages::ConnectionUpdate message;
      message.connection_id = "mailbox";
      message.actor = "ada";
      message.base_url = row.base_url;
      message.secret_sealed = "v1.new";
      world.receive(message);
    }
    if (world.last.status != 409) return "";
    CHECK(world.last.answer.find("The first") != std::string::npos);
    CHECK(world.last.answer.find("Another") != std::string::npos);
    CHECK(world.last.changes.empty());
    if (way == Way::other_connection) return world.last.answer.find("\"/base_url\"") != std::string::npos ? row.refused_at : "elsewhere";
    return world.last.answer.find("\"/folder\"") != std::string::npos ? "/folder" : "/after_folder";
  };
  for (const auto& row : rows) {
    for (const Way way : {Way::new_inbox, Way::update, Way::other_connection}) {
      CAPTURE(row.base_url);
      CAPTURE(row.folder);
      CAPTURE(row.after);
      CAPTURE(static_cast<int>(way));
      CHECK(refused_at(row, way) == row.refused_at);
    }
  }
}

TEST_CASE("one that moves mails to where another one polls already is not kept from being mended") {
  using messages::AfterImport;
  LeaseWorld world;
  AccountInbox other{world.inbox(), *world.state.connection};
  other.inbox.id = "other";
  other.inbox.folder = "Done";
  world.inbox().after_import = AfterImport::move;
  world.inbox().after_folder = "Done";
  world.state.account_inboxes = {other};
  auto message = update();
  const messages::Envelope envelope;
  const auto sees_others = [&] { return needs(message, Incoming{envelope, "", "", "", "", ""}).account_inboxes; };
  std::int64_t status = 200;
  SUBCASE("it moves nothing any more") { message.after = AfterImport::seen; }
  SUBCASE("it moves them elsewhere") { message.after_folder = "Old"; }
  SUBCASE("it says again what it says") { message.folder = "INBOX", message.after = AfterImport::move, message.after_folder = "Done"; }
  SUBCASE("but it moves there anew") { world.inbox().after_import = AfterImport::seen, message.after = AfterImport::move, status = 409; }
  CHECK(sees_others());
  world.receive(message);
  CHECK(world.last.status == status);
}

TEST_CASE("inboxes that are twins already can still be changed otherwise") {
  LeaseWorld world;
  AccountInbox first{world.inbox(), *world.state.connection};
  first.inbox.id = "first";
  world.state.account_inboxes = {first};
  world.state.connection_inboxes = {world.inbox()};
  auto message = update();
  message.is_paused = true;
  const messages::Envelope envelope;
  CHECK_FALSE(needs(message, Incoming{envelope, "", "", "", "", ""}).account_inboxes);
  messages::ConnectionUpdate connection;
  connection.connection_id = "mailbox";
  connection.actor = "ada";
  connection.base_url = "imaps://mail.example:993";
  world.receive(connection);
  CHECK(world.last.status == 200);
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
