// Inboxes, settings, comments and mail connections as messages for the ledger, and what is refused before.

#include <doctest/doctest.h>

#include "api/command_ids.hpp"
#include "common/codec/codec.hpp"
#include "tests/unit/api/a_front_door.hpp"
#include "tests/unit/api/a_reading.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

const std::string inbox_path = "/v1/inboxes/" + some_id;
const std::string board_id = "00000000-0000-4000-8000-0000000000b1";

template <class Message>
Message asked(ADoor& door, std::string_view line, std::string_view body = {}, std::string_view fields = {}) {
  const auto plan = door.ask(line, body, fields);
  if (const auto* reply = std::get_if<Reply>(&plan)) FAIL(reply->body);
  REQUIRE(std::holds_alternative<Exchange>(plan));
  const auto& command = std::get<Exchange>(plan).command;
  REQUIRE(command.type == Message::type);
  auto message = codec::decode<Message>(command.body);
  REQUIRE(message.ok());
  return *message;
}

std::string inbox_with(std::string_view members) {
  return fmt::format(R"({{"name":"Support","connection_id":"{}","address":"Support@Example.org"{}{}}})", some_id, members.empty() ? "" : ",", members);
}

// A state with one inbox and one connection.
class OneInbox final : public NoReading {
 public:
  store::MailInboxRow row;
  store::ConnectionRow far_side;
  OneInbox() {
    row.id = some_id;
    row.folder = "INBOX";
    far_side.id = some_id;
    far_side.kind = messages::ConnectionKind::imap;
  }
  Result<std::optional<store::MailInboxRow>> inbox(std::string_view id) override {
    return id == row.id ? std::optional{row} : std::optional<store::MailInboxRow>{};
  }
  Result<std::optional<store::ConnectionRow>> connection(std::string_view id) override {
    return id == far_side.id ? std::optional{far_side} : std::optional<store::ConnectionRow>{};
  }
};

struct Refused {
  const char* name;
  std::string line;
  std::string body;
  std::string place;
};

void check_refusals(ADoor& door, const std::vector<Refused>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto reply = door.refused(row.line, row.body);
    CAPTURE(reply.body);
    CHECK(reply.status == 400);
    CHECK(reply.type == BodyType::problem);
    CHECK(reply.body.find(fmt::format("\"pointer\":\"{}\"", row.place)) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("an inbox is made with what is said, and sane ways where nothing is") {
  ADoor door;
  const auto plain = asked<messages::InboxCreate>(door, "POST /v1/inboxes", inbox_with(""));
  CHECK(plain.name == "Support");
  CHECK(plain.connection_id == some_id);
  CHECK(plain.address == "support@example.org");
  CHECK(plain.folder == "INBOX");
  CHECK(plain.interval_ms == 60'000);
  CHECK(plain.is_push);
  CHECK(plain.after == messages::AfterImport::keep);
  CHECK(plain.duplicate_ms == 0);
  CHECK_FALSE(plain.since_us.has_value());
  CHECK_FALSE(plain.board_id.has_value());
  CHECK_FALSE(plain.smtp_connection_id.has_value());

  const auto whole = asked<messages::InboxCreate>(
      door, "POST /v1/inboxes",
      inbox_with(R"("folder":"Archiv/Größe","board_id":"00000000-0000-4000-8000-0000000000B1","smtp_connection_id":"00000000-0000-4000-8000-0000000000b1",)"
                 R"("interval_seconds":300,"is_push":false,"after":"move","after_folder":"Done","duplicate_minutes":15,"since":"2026-11-20T10:00:00Z")"));
  CHECK(whole.folder == "Archiv/Größe");
  CHECK(whole.board_id == board_id);
  CHECK(whole.smtp_connection_id == board_id);
  CHECK(whole.interval_ms == 300'000);
  CHECK_FALSE(whole.is_push);
  CHECK(whole.after == messages::AfterImport::move);
  CHECK(whole.after_folder == "Done");
  CHECK(whole.duplicate_ms == 900'000);
  CHECK(whole.since_us == 1'795'168'800'000'000);
  CHECK(asked<messages::InboxCreate>(door, "POST /v1/inboxes", inbox_with(R"("since":"all","board_id":null,"after":"delete")")).since_us == 0);

  const auto plan = door.ask("POST /v1/inboxes", inbox_with(""), "Idempotency-Key: i1\r\n");
  const auto& exchange = std::get<Exchange>(plan);
  CHECK(exchange.location == "/v1/inboxes/" + made_by(exchange.command.id, "inbox"));
}

TEST_CASE("an inbox that cannot be is refused where it is wrong") {
  ADoor door;
  const std::string post = "POST /v1/inboxes";
  check_refusals(door, {
                           {"no connection", post, R"({"name":"a","address":"a@b.de"})", "/connection_id"},
                           {"no address", post, R"({"name":"a","connection_id":"00000000-0000-4000-8000-0000000000b1"})", "/address"},
                           {"bad address", post, R"({"name":"a","connection_id":"00000000-0000-4000-8000-0000000000b1","address":"support"})", "/address"},
                           {"two addresses", post, R"({"name":"a","connection_id":"00000000-0000-4000-8000-0000000000b1","address":"a@b.de, c@d.de"})", "/address"},
                           {"blank name", post, R"({"name":" ","connection_id":"00000000-0000-4000-8000-0000000000b1","address":"a@b.de"})", "/name"},
                           {"wildcard in the folder", post, inbox_with(R"("folder":"INBOX/*")"), "/folder"},
                           {"line end in the folder", post, inbox_with(R"("folder":"INBOX\r\nx LOGOUT")"), "/folder"},
                           {"empty folder", post, inbox_with(R"("folder":"")"), "/folder"},
                           {"blank at the folder's end", post, inbox_with(R"("folder":"INBOX ")"), "/folder"},
                           {"too often", post, inbox_with(R"("interval_seconds":9)"), "/interval_seconds"},
                           {"too seldom", post, inbox_with(R"("interval_seconds":86401)"), "/interval_seconds"},
                           {"half a second", post, inbox_with(R"("interval_seconds":60.5)"), "/interval_seconds"},
                           {"move to nowhere", post, inbox_with(R"("after":"move")"), "/after_folder"},
                           {"move to null", post, inbox_with(R"("after":"move","after_folder":null)"), "/after_folder"},
                           {"move to itself", post, inbox_with(R"("after":"move","after_folder":"INBOX")"), "/after_folder"},
                           {"a folder without move", post, inbox_with(R"("after":"seen","after_folder":"Done")"), "/after_folder"},
                           {"unknown end", post, inbox_with(R"("after":"burn")"), "/after"},
                           {"negative threshold", post, inbox_with(R"("duplicate_minutes":-1)"), "/duplicate_minutes"},
                           {"since when", post, inbox_with(R"("since":"yesterday")"), "/since"},
                           {"board that is no id", post, inbox_with(R"("board_id":"Support")"), "/board_id"},
                           {"unknown member", post, inbox_with(R"("password":"x")"), "/password"},
                       });
}

TEST_CASE("a change of an inbox says only what changes, and null takes away") {
  ADoor door;
  OneInbox state;
  door.reading = &state;
  const auto update = asked<messages::InboxUpdate>(door, "PATCH " + inbox_path, R"({"interval_seconds":10,"board_id":null,"is_paused":true})", "If-Match: \"v4\"\r\n");
  CHECK(update.inbox_id == some_id);
  CHECK(update.expected_version == 4);
  CHECK(update.interval_ms == 10'000);
  CHECK(update.board_id == "");
  CHECK(update.is_paused == true);
  CHECK_FALSE(update.name.has_value());
  CHECK_FALSE(update.smtp_connection_id.has_value());
  CHECK_FALSE(update.after.has_value());
  CHECK_FALSE(update.after_folder.has_value());
  const auto moved = asked<messages::InboxUpdate>(door, "PATCH " + inbox_path, R"({"after":"move","after_folder":"Done","address":"New@B.de"})");
  CHECK(moved.after == messages::AfterImport::move);
  CHECK(moved.after_folder == "Done");
  CHECK(moved.address == "new@b.de");
}

TEST_CASE("what becomes of mails is judged as it will be after the change") {
  ADoor door;
  OneInbox state;
  door.reading = &state;
  const std::string patch = "PATCH " + inbox_path;
  check_refusals(door, {{"move to nowhere", patch, R"({"after":"move"})", "/after_folder"},
                        {"a folder without move", patch, R"({"after_folder":"Done"})", "/after_folder"},
                        {"too often", patch, R"({"interval_seconds":1})", "/interval_seconds"},
                        {"nothing", patch, "{}", ""},
                        {"another connection", patch, fmt::format(R"({{"connection_id":"{}"}})", some_id), "/connection_id"}});
  state.row.after_import = messages::AfterImport::move;
  state.row.after_folder = "Done";
  CHECK(asked<messages::InboxUpdate>(door, patch, R"({"after_folder":"Other"})").after_folder == "Other");
  CHECK(asked<messages::InboxUpdate>(door, patch, R"({"name":"b"})").after_folder == std::nullopt);
  CHECK(asked<messages::InboxUpdate>(door, patch, R"({"after":"keep"})").after_folder == "");
  check_refusals(door, {{"the folder is taken away", patch, R"({"after_folder":null})", "/after_folder"},
                        {"polled where mails are moved to", patch, R"({"folder":"Done"})", "/after_folder"}});
  state.row.id = "another";
  CHECK(door.refused(patch, R"({"name":"b"})").status == 404);
}

TEST_CASE("inboxes are polled and deleted by command") {
  ADoor door;
  CHECK(asked<messages::InboxPoll>(door, "POST " + inbox_path + "/poll").inbox_id == some_id);
  CHECK(asked<messages::InboxPoll>(door, "POST " + inbox_path + "/poll", "{}").actor == "admin");
  CHECK(door.refused("POST " + inbox_path + "/poll", R"({"now":true})").status == 400);
  CHECK(asked<messages::InboxDelete>(door, "DELETE " + inbox_path, {}, "If-Match: \"v2\"\r\n").expected_version == 2);
}

TEST_CASE("settings change by what is given") {
  ADoor door;
  const auto update = asked<messages::SettingsUpdate>(
      door, "PATCH /v1/settings", R"({"default_board_id":null,"smtp_connection_id":"5D0F2E2C-0f0e-4a43-8f5c-0a4f6b1d2c3e","sender_address":"Desk@B.de","sender_name":"Help Desk","is_confirming":false})");
  CHECK(update.default_board_id == "");
  CHECK(update.smtp_connection_id == some_id);
  CHECK(update.sender_address == "desk@b.de");
  CHECK(update.sender_name == "Help Desk");
  CHECK(update.is_confirming == false);
  CHECK_FALSE(update.is_telling_states.has_value());
  const std::string patch = "PATCH /v1/settings";
  check_refusals(door, {{"bad address", patch, R"({"sender_address":"desk"})", "/sender_address"},
                        {"line end in the name", patch, R"({"sender_name":"a\r\nBcc: x@y.de"})", "/sender_name"},
                        {"nothing", patch, "{}", ""},
                        {"no flag", patch, R"({"is_confirming":"yes"})", "/is_confirming"}});
}

TEST_CASE("a comment is said by its author, in private unless told otherwise") {
  ADoor door;
  const std::string path = "POST /v1/tickets/" + some_id + "/comments";
  const auto plan = door.ask(path, R"({"text":"Look at\nthis."})", "Idempotency-Key: c\r\n");
  const auto& exchange = std::get<Exchange>(plan);
  const auto comment = *codec::decode<messages::TicketComment>(exchange.command.body);
  CHECK(comment.ticket_id == some_id);
  CHECK(comment.comment_id == made_by(exchange.command.id, "comment"));
  CHECK(comment.actor == "admin");
  CHECK(comment.text == "Look at\nthis.");
  CHECK_FALSE(comment.is_public);
  CHECK(asked<messages::TicketComment>(door, path, R"({"text":"Hello","is_public":true})").is_public);
  check_refusals(door, {{"no text", path, "{}", "/text"},
                        {"blank", path, R"({"text":" \n\t"})", "/text"},
                        {"control characters", path, R"({"text":"a\u0007"})", "/text"},
                        {"unknown member", path, R"({"text":"a","author":"kim"})", "/author"}});
}

TEST_CASE("mail connections speak their own protocols") {
  ADoor door;
  const auto body = [](std::string_view kind, std::string_view url) {
    return fmt::format(R"({{"name":"Mail","kind":"{}","base_url":"{}","account":"support","secret":"top-secret"}})", kind, url);
  };
  for (const auto& [kind, url] : {std::pair{"imap", "imaps://mail.example.org"}, {"imap", "imap://mail.example.org:1143"}, {"imap", "imaps://[::1]:993"},
                                  {"smtp", "smtps://mail.example.org:465"}, {"smtp", "smtp://127.0.0.1:2525/"}}) {
    CAPTURE(url);
    const auto create = asked<messages::ConnectionCreate>(door, "POST /v1/connections", body(kind, url));
    CHECK(messages::name_of(create.kind) == kind);
    CHECK_FALSE(create.base_url.ends_with('/'));
    CHECK(create.secret_sealed == fmt::format("sealed({},{},10)", kind, create.connection_id));
  }
  const std::string post = "POST /v1/connections";
  std::vector<Refused> rows;
  for (const auto& [kind, url] : {std::pair{"imap", "https://mail.example.org"}, {"imap", "smtp://mail.example.org"}, {"smtp", "imaps://mail.example.org"},
                                  {"smtp", "http://mail.example.org"}, {"jira", "imaps://mail.example.org"}, {"trello", "smtps://mail.example.org"},
                                  {"imap", "imaps://user@mail.example.org"}, {"imap", "imaps://mail.example.org/INBOX"}, {"imap", "imaps://"},
                                  {"imap", "imaps://mail.example.org:0"}, {"imap", "imaps://mail.example.org:70000"}, {"smtp", "smtp://a b"}, {"imap", "pop3://mail.example.org"}}) {
    rows.push_back({url, post, body(kind, url), "/base_url"});
  }
  check_refusals(door, rows);
  CHECK(door.refused(post, body("pop3", "https://a.example")).status == 400);
}

TEST_CASE("a changed address is judged by the connection's kind, a new secret is sealed for it") {
  ADoor door;
  OneInbox state;
  door.reading = &state;
  const std::string patch = "PATCH /v1/connections/" + some_id;
  const auto update = asked<messages::ConnectionUpdate>(door, patch, R"({"base_url":"imap://mail.example.org","secret":"abc"})");
  CHECK(update.base_url == "imap://mail.example.org");
  CHECK(update.secret_sealed == fmt::format("sealed(imap,{},3)", some_id));
  check_refusals(door, {{"https for imap", patch, R"({"base_url":"https://mail.example.org"})", "/base_url"}});
  state.far_side.id = "another";
  CHECK(door.refused(patch, R"({"name":"b"})").status == 404);
}

TEST_CASE("a connection test may name the folder to open") {
  ADoor door;
  const std::string path = "POST /v1/connections/" + some_id + "/test";
  CHECK(asked<messages::ConnectionTest>(door, path, R"({"folder":"Support"})").folder == "Support");
  CHECK_FALSE(asked<messages::ConnectionTest>(door, path).folder.has_value());
  check_refusals(door, {{"wildcard", path, R"({"folder":"%"})", "/folder"}});
}
