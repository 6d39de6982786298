// Inboxes in each other's way: one folder polled twice, or polled here and moved to there.

#include "tests/unit/ledger/inbox_requests.hpp"

using namespace postroom;
using namespace postroom::ledger;

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
