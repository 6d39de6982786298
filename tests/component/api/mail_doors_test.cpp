// The mail doors' commands and reads against the running process, with a ledger that the test plays.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/messages/inbox.hpp"
#include "common/store/table.hpp"
#include "common/store/rows.hpp"
#include "tests/component/api/played_ledger.hpp"

using namespace postroom;
using namespace postroom::support;

namespace {

const std::string connection_id = "00000000-0000-4000-8000-0000000000c1";
const std::string inbox_id = "00000000-0000-4000-8000-0000000000d1";

template <class Row>
void keep(store::Database& database, const Row& row) {
  const auto done = store::insert(database, row);
  if (!done) FAIL(done.error().text());
}

// A process of its own with one mailbox and one inbox in its database.
struct Doors {
  RunningApi api;
  Doors() {
    const auto database = fakes::new_database(api.home() / "data" / "postroom.sqlite");
    store::ConnectionRow connection;
    connection.id = connection_id;
    connection.name = "Mailbox";
    connection.kind = messages::ConnectionKind::imap;
    connection.base_url = "imaps://mail.example.org";
    connection.version = 1;
    keep(*database, connection);
    store::MailInboxRow inbox;
    inbox.id = inbox_id;
    inbox.name = "Support";
    inbox.connection_id = connection_id;
    inbox.folder = "INBOX";
    inbox.version = 2;
    keep(*database, inbox);
  }
  static RunningApi& shared() {
    static Doors doors;
    return doors.api;
  }
};

messages::CommandReplied answer_to(const broker::Delivery& delivery) {
  const int status = delivery.envelope.type.find(".create.") != std::string::npos || delivery.envelope.type == "ticket.comment.v1" ? 201 : 200;
  return messages::CommandReplied{delivery.envelope.message_id, status, {R"({"data":{"id":"x","version":7}})"}};
}

}  // namespace

TEST_CASE("the doors' commands reach the ledger and its word is passed on") {
  auto& api = Doors::shared();
  PlayedLedger ledger{[](const broker::Delivery& delivery) { return std::optional{answer_to(delivery)}; }};
  struct Row {
    const char* type;
    Ask ask;
    int status;
    std::string words;
  };
  const std::string inbox = "/v1/inboxes/" + inbox_id, ticket = "/v1/tickets/00000000-0000-4000-8000-0000000000e1";
  const std::vector<Row> rows{
      {"inbox.create.v1", {"POST", "/v1/inboxes", fmt::format(R"({{"name":"New","connection_id":"{}","address":"a@b.de"}})", connection_id)}, 201, "\"New\""},
      {"inbox.update.v1", {"PATCH", inbox, R"({"name":"Newer"})", "", "If-Match: \"v2\"\r\n"}, 200, "Newer"},
      {"inbox.poll.v1", {"POST", inbox + "/poll"}, 200, inbox_id},
      {"inbox.delete.v1", {"DELETE", inbox}, 200, inbox_id},
      {"settings.update.v1", {"PATCH", "/v1/settings", R"({"sender_name":"Desk"})"}, 200, "Desk"},
      {"ticket.comment.v1", {"POST", ticket + "/comments", R"({"text":"Said once"})"}, 201, "Said once"},
      {"connection.test.v1", {"POST", "/v1/connections/" + connection_id + "/test", R"({"folder":"Archive"})"}, 200, "Archive"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.type);
    const auto reply = api.ask_as_admin(row.ask);
    CAPTURE(reply.body);
    CHECK(reply.status == row.status);
    CHECK(reply.headers.at("etag") == "\"v7\"");
    CHECK(reply.headers.contains("location") == (row.status == 201));
    CHECK(ledger.next(row.type, row.words).has_value());
  }
}

TEST_CASE("a repeated command of the doors is the same message") {
  auto& api = Doors::shared();
  PlayedLedger ledger;
  const Ask ask{"POST", "/v1/inboxes", fmt::format(R"({{"name":"Twice","connection_id":"{}","address":"a@b.de","since":"all"}})", connection_id), "",
                "Prefer: respond-async\r\nIdempotency-Key: i-1\r\n"};
  CHECK(api.ask_as_admin(ask).status == 202);
  const auto first = ledger.next("inbox.create.v1", "Twice");
  CHECK(api.ask_as_admin(ask).status == 202);
  const auto second = ledger.next("inbox.create.v1", "Twice");
  REQUIRE((first && second));
  CHECK(first->body == second->body);
  CHECK(first->envelope.message_id == second->envelope.message_id);
}

TEST_CASE("a mailbox's password is sealed for the poller, an SMTP account's for the notifier") {
  auto& api = Doors::shared();
  PlayedLedger ledger;
  std::string key_ids;
  for (const auto& [kind, url] : {std::pair{"imap", "imaps://sealed.example.org"}, {"smtp", "smtp://sealed.example.org"}}) {
    const auto body = fmt::format(R"({{"name":"{0}","kind":"{0}","base_url":"{1}","account":"a","secret":"top-secret-2"}})", kind, url);
    CHECK(api.ask_as_admin({"POST", "/v1/connections", body, "", "Prefer: respond-async\r\n"}).status == 202);
    const auto sent = ledger.next("connection.create.v1", url);
    REQUIRE(sent.has_value());
    CHECK(sent->body.find("top-secret-2") == std::string::npos);
    const auto create = codec::decode<messages::ConnectionCreate>(sent->body);
    REQUIRE(create.ok());
    CHECK(create->kind == messages::value_of<messages::ConnectionKind>(kind));
    const auto parts = split(create->secret_sealed, '.');
    REQUIRE(parts.size() == 3);
    CHECK(key_ids.find(parts[1]) == std::string::npos);
    key_ids += std::string{parts[1]} + " ";
  }
}

TEST_CASE("what the doors cannot take is a problem that names the place") {
  auto& api = Doors::shared();
  struct Row {
    const char* name;
    Ask ask;
    int status;
    std::string slug;
    std::string place;
  };
  const std::string inbox = "/v1/inboxes/" + inbox_id, unknown = "00000000-0000-4000-8000-00000000ffff";
  const auto new_inbox = [](std::string_view members) {
    return fmt::format(R"({{"name":"a","connection_id":"{}","address":"a@b.de",{}}})", connection_id, members);
  };
  const std::vector<Row> rows{
      {"bad address", {"POST", "/v1/inboxes", R"({"name":"a","connection_id":"00000000-0000-4000-8000-0000000000c1","address":"a b@c"})"}, 400, "invalid-body", "/address"},
      {"folder with a wildcard", {"POST", "/v1/inboxes", new_inbox(R"("folder":"a*")")}, 400, "invalid-body", "/folder"},
      {"too often", {"POST", "/v1/inboxes", new_inbox(R"("interval_seconds":9)")}, 400, "invalid-body", "/interval_seconds"},
      {"too seldom", {"PATCH", inbox, R"({"interval_seconds":86401})"}, 400, "invalid-body", "/interval_seconds"},
      {"move to nowhere", {"POST", "/v1/inboxes", new_inbox(R"("after":"move")")}, 400, "invalid-body", "/after_folder"},
      {"move to nowhere later", {"PATCH", inbox, R"({"after":"move"})"}, 400, "invalid-body", "/after_folder"},
      {"unknown inbox", {"PATCH", "/v1/inboxes/" + unknown, R"({"name":"a"})"}, 404, "not-found", ""},
      {"unknown inbox's report", {"GET", "/v1/inboxes/" + unknown + "/report"}, 404, "not-found", ""},
      {"wrong scheme", {"POST", "/v1/connections", R"({"name":"a","kind":"imap","base_url":"https://a.example","account":"a","secret":"s"})"}, 400, "invalid-body", "/base_url"},
      {"wrong scheme later", {"PATCH", "/v1/connections/" + connection_id, R"({"base_url":"smtp://a.example"})"}, 400, "invalid-body", "/base_url"},
      {"blank comment", {"POST", "/v1/tickets/" + unknown + "/comments", R"({"text":" "})"}, 400, "invalid-body", "/text"},
      {"comments of a ticket that is not there yet", {"GET", "/v1/tickets/" + unknown + "/comments"}, 404, "not-yet-applied", ""},
      {"unknown attachment", {"GET", "/v1/attachments/" + unknown}, 404, "not-found", ""},
      {"arrival that is not there yet", {"GET", "/v1/arrivals/" + unknown}, 404, "not-yet-applied", ""},
      {"unknown verdict", {"GET", "/v1/arrivals?verdict=lost"}, 400, "invalid-parameters", "verdict"},
      {"cursor of another list", {"GET", "/v1/arrivals?inbox=" + inbox_id + "&cursor=7_61"}, 400, "invalid-parameters", "cursor"},
      {"trace of nothing", {"GET", "/v1/trace"}, 400, "invalid-parameters", "message_id"},
      {"settings of nothing", {"PATCH", "/v1/settings", "{}"}, 400, "invalid-body", ""},
      {"settings are not made", {"POST", "/v1/settings", "{}"}, 405, "method-not-allowed", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto reply = api.ask_as_admin(row.ask);
    CAPTURE(reply.body);
    CHECK(reply.status == row.status);
    CHECK(reply.headers.at("content-type") == "application/problem+json");
    CHECK(reply.body.find("urn:postroom:problem:" + row.slug) != std::string::npos);
    CHECK(reply.body.find(row.place) != std::string::npos);
    const auto stranger = api.ask(row.ask);
    CHECK(stranger.status == (row.status == 405 ? 405 : 401));
  }
}

TEST_CASE("inboxes, settings and arrivals are read from the database") {
  auto& api = Doors::shared();
  const auto inbox = api.ask_as_admin({.path = "/v1/inboxes/" + inbox_id});
  CHECK(inbox.status == 200);
  CHECK(inbox.headers.at("etag") == "\"v2\"");
  CHECK(data_of(inbox, "name") == "Support");
  CHECK(api.ask_as_admin({.path = "/v1/inboxes"}).body.find(inbox_id) != std::string::npos);
  CHECK(api.ask_as_admin({.path = "/v1/inboxes/" + inbox_id + "/report"}).body.find("\"missing\":null,\"missing_is\":\"unknown\"") != std::string::npos);  // nobody looked yet
  CHECK(api.ask_as_admin({.path = "/v1/settings"}).body.find("\"is_confirming\":true") != std::string::npos);
  CHECK(api.ask_as_admin({.path = "/v1/arrivals?inbox=" + inbox_id}).body == R"({"data":[],"page":{"next":null}})");
  CHECK(api.ask_as_admin({.path = "/v1/balance"}).body.find("\"by_kind\":{}") != std::string::npos);
}
