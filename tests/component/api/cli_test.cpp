// The command line against the running process: what people see, and the exit status.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>

#include "common/messages/inbox.hpp"
#include "common/store/rows.hpp"
#include "common/store/table.hpp"
#include "tests/component/api/played_ledger.hpp"

using namespace postroom;
using namespace postroom::support;

namespace {

const std::string connection_id = "00000000-0000-4000-8000-0000000000c1";
const std::string inbox_id = "00000000-0000-4000-8000-0000000000d1";
const std::string arrival_id = "00000000-0000-4000-8000-0000000000e1";
const std::string earlier_arrival_id = "00000000-0000-4000-8000-0000000000e2";
const std::string ticket_id = "00000000-0000-4000-8000-0000000000f1";
const std::string item_id = "00000000-0000-4000-8000-0000000000f2";
const std::string posted_item_id = "00000000-0000-4000-8000-0000000000f3";

template <class Row>
void keep(store::Database& database, const Row& row) {
  const auto done = store::insert(database, row);
  if (!done) FAIL(done.error().text());
}

struct Said {
  int status = -1;
  std::string text;  // both streams
  bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
};

// A process with one inbox, and one mail on the shelf.
struct House {
  RunningApi api;
  House() {
    const auto database = fakes::new_database(api.home() / "data" / "postroom.sqlite");
    store::ConnectionRow connection;
    connection.id = connection_id;
    connection.name = "Mailbox";
    connection.kind = messages::ConnectionKind::imap;
    keep(*database, connection);
    store::MailInboxRow inbox;
    inbox.id = inbox_id;
    inbox.name = "Support mails";
    inbox.connection_id = connection_id;
    inbox.address = "support@example.org";
    inbox.folder = "INBOX";
    inbox.lease = store::LeaseState::held;
    inbox.stage = "watching";
    inbox.state = store::ConnectionState::ok;
    inbox.uid_validity = 7;
    inbox.server_exists = 5;
    inbox.server_older = 3;
    inbox.server_at = 1;
    keep(*database, inbox);
    store::MailInboxRow fresh;
    fresh.id = "00000000-0000-4000-8000-0000000000f1";
    fresh.name = "Never looked at";
    fresh.connection_id = connection_id;
    fresh.folder = "Other";
    keep(*database, fresh);
    store::ArrivalRow arrival;
    arrival.id = arrival.correlation_id = arrival.natural_key = arrival_id;
    arrival.kind = "mail";
    arrival.ticket_id = ticket_id;
    arrival.state = store::ArrivalState::standby;
    arrival.standby_id = item_id;
    keep(*database, arrival);
    store::MailRow mail;
    mail.arrival_id = arrival_id;
    mail.inbox_id = inbox_id;
    mail.uid_validity = 7;
    mail.message_id = "abc.def@example.org";
    mail.subject = "Keys \x1b[31mlost";
    mail.sender_address = "ann@example.org";
    mail.verdict = "standby";
    mail.why = "no board fits";
    mail.blob_sha256 = std::string(64, 'a');
    keep(*database, mail);
    // Before the inbox was numbered anew, with a Message-ID that its sender used again.
    arrival.id = arrival.correlation_id = arrival.natural_key = earlier_arrival_id;
    arrival.ticket_id = "00000000-0000-4000-8000-0000000000f4";
    arrival.standby_id.reset();
    arrival.accepted_at = 1;
    keep(*database, arrival);
    mail.arrival_id = earlier_arrival_id;
    mail.uid_validity = 6;
    mail.subject = "Keys found";
    keep(*database, mail);
    store::StandbyRow item;
    item.id = item_id;
    item.kind = messages::StandbyKind::arrival;
    item.subject_id = item.correlation_id = arrival_id;
    item.message_type = "mail.arrived.v1";
    item.original = "{}";
    item.properties = "{}";
    item.reason_class = "no_board";
    item.first_at = to_micros(*from_rfc3339("2026-11-20T10:00:00Z"));
    keep(*database, item);
    store::StandbyRow posted;
    posted.id = posted_item_id;
    posted.kind = messages::StandbyKind::poison;
    posted.subject_id = posted.correlation_id = "posted";
    posted.board_id = public_board;
    posted.message_type = messages::TicketOpen::type;
    posted.state = messages::StandbyState::assigned;
    posted.original = codec::encode(messages::TicketOpen{.ticket_id = ticket_id, .board_id = public_board, .actor = "public", .title = "The lamp flickers",
                                                         .creator_email = "bob@example.org"});
    posted.properties = "{}";
    posted.reason_class = "board_gone";
    posted.first_at = to_micros(*from_rfc3339("2026-11-20T11:00:00Z"));
    keep(*database, posted);
  }
  static House& shared() {
    static House house;
    return house;
  }
  Said run(std::string_view words) const {
    const std::string command =
        fmt::format("POSTROOM_HOME='{}' POSTROOM_API_LISTEN_PORT={} '" POSTROOM_BINARY_DIR "/postroom' {} 2>&1", api.home().string(), api.port(), words);
    Said said;
    FILE* out = popen(command.c_str(), "r");
    REQUIRE(out != nullptr);
    char bytes[4'096];
    for (std::size_t got = 0; (got = fread(bytes, 1, sizeof bytes, out)) > 0;) said.text.append(bytes, got);
    said.status = WEXITSTATUS(pclose(out));
    return said;
  }
};

}  // namespace

TEST_CASE("inbox list and report say how it goes and what is missing") {
  auto& house = House::shared();
  const auto list = house.run("inbox list");
  CHECK(list.status == 0);
  for (const char* part : {"Support mails", "support@example.org", "ok, watching", "INBOX"}) CHECK(list.has(part));
  CHECK(list.has(inbox_id));
  CHECK(house.run("--json inbox list").text.starts_with("{\"data\":["));
  for (const std::string_view which : {"'Support mails'", "00000000-0000-4000-8000-0000000000d1"}) {
    CAPTURE(which);
    const auto report = house.run(fmt::format("inbox report {}", which));
    CHECK(report.status == 0);
    CHECK(report.has("MISSING"));
    CHECK(report.has("Support mails  5       3      0        0     1"));
  }
  const auto all = house.run("inbox report");
  CHECK(all.status == 0);
  CHECK(all.has("Support mails    5 "));
  CHECK(all.has("Never looked at  unknown"));
  const auto unknown = house.run("inbox report Nothing");
  CHECK(unknown.status == 1);
  CHECK(unknown.has("there is no inbox named Nothing"));
  CHECK(house.run("inbox").status == 2);
}

TEST_CASE("inbox poll and create reach the ledger with what was said") {
  auto& house = House::shared();
  PlayedLedger ledger{[](const broker::Delivery& delivery) {
    return std::optional{messages::CommandReplied{delivery.envelope.message_id, 200, {R"({"data":{"id":"made","version":1}})"}}};
  }};
  const auto poll = house.run("inbox poll 'Support mails'");
  CHECK(poll.status == 0);
  CHECK(ledger.next("inbox.poll.v1", inbox_id).has_value());
  CHECK(house.run("inbox poll").status == 2);
  const auto create = house.run("inbox create --name New --connection Mailbox --address a@b.de --folder Archive --board 'Board b1' --interval 300 --no-push "
                                "--after move --after-folder Done --duplicate-minutes 5 --since all");
  CHECK(create.status == 0);
  CHECK(create.text == "made\n");
  const auto sent = ledger.next("inbox.create.v1", "\"New\"");
  REQUIRE(sent.has_value());
  const auto message = codec::decode<messages::InboxCreate>(sent->body);
  REQUIRE(message.ok());
  CHECK(message->connection_id == connection_id);
  CHECK(message->board_id == public_board);
  CHECK(message->folder == "Archive");
  CHECK(message->interval_ms == 300'000);
  CHECK_FALSE(message->is_push);
  CHECK(message->after == messages::AfterImport::move);
  CHECK(message->duplicate_ms == 300'000);
  CHECK(message->since_us == 0);
  const auto refused = house.run("inbox create --name New --connection Mailbox --address nobody --interval 5");
  CHECK(refused.status == 1);
  CHECK(refused.has("/interval_seconds"));
  CHECK(house.run("inbox create --name New --connection Unknown --address a@b.de").has("there is no connection named Unknown"));
}

TEST_CASE("a mail is traced by its ids and its Message-ID, and cannot colour the terminal") {
  auto& house = House::shared();
  for (const std::string& id : {arrival_id, ticket_id, item_id, std::string{"'<abc.def@example.org>'"}, std::string{"abc.def@example.org"}}) {
    CAPTURE(id);
    const auto trace = house.run("trace " + id);
    CHECK(trace.status == 0);
    CHECK(trace.has("from ann@example.org: standby, no board fits"));
    CHECK(trace.has(arrival_id));
    CHECK_FALSE(trace.has("\x1b"));
  }
  for (const std::string_view part : {"Keys found", "2 of 2 under this Message-ID"}) {
    CHECK(house.run("trace abc.def@example.org").has(part));
    CHECK_FALSE(house.run("trace " + arrival_id).has(part));
  }
  CHECK(house.run("trace nothing").has("is not an id"));
  CHECK(house.run("trace nothing@example.org").status == 1);
}

TEST_CASE("the shelf is listed with what a person knows an item by: of a mail its sender and subject, of a post what was posted") {
  auto& house = House::shared();
  const auto list = house.run("standby list");
  CHECK(list.status == 0);
  for (const char* part : {"ID", "SINCE", "KIND", "REASON", "BOARD", "FROM", "TITLE"}) CHECK(list.has(part));
  CHECK(list.has(item_id + "  2026-11-20T10:00  arrival  no_board" + std::string(24, ' ') + "ann@example.org  Keys  [31mlost\n"));
  CHECK(list.has(posted_item_id + "  2026-11-20T11:00  poison   board_gone, assigned  Board b1  bob@example.org  The lamp flickers\n"));
  const auto answer = house.run("--json standby list --board 'board B1'");
  CHECK(answer.status == 0);
  CHECK(answer.has(R"("from":"bob@example.org","title":"The lamp flickers")"));
  CHECK_FALSE(answer.has(item_id));
  CHECK(house.run("--json standby show " + posted_item_id).has(R"("from":"bob@example.org","title":"The lamp flickers")"));
  CHECK(house.run("--json standby show " + item_id).has(R"("from":"ann@example.org")"));
  CHECK(house.run("standby list --board Nowhere").has("there is no board named Nowhere; there are "));
  CHECK(house.run("standby list --connection Nowhere").status == 1);
}

TEST_CASE("boards and connections may be named wherever an item is sent on") {
  auto& house = House::shared();
  PlayedLedger ledger{[](const broker::Delivery& delivery) {
    return std::optional{messages::CommandReplied{delivery.envelope.message_id, 200, {R"({"data":{"version":1}})"}}};
  }};
  CHECK(house.run("standby assign " + item_id + " --board 'Board b1'").status == 0);
  const auto assigned = ledger.next("standby.assign.v1", item_id);
  REQUIRE(assigned.has_value());
  CHECK(codec::decode<messages::StandbyAssign>(assigned->body)->board_id == public_board);
  CHECK(house.run("standby retry " + posted_item_id + " --to-board 'board b1'").status == 0);
  const auto on_the_way = ledger.next("standby.assign.v1", posted_item_id);
  REQUIRE(on_the_way.has_value());
  CHECK(codec::decode<messages::StandbyAssign>(on_the_way->body)->board_id == public_board);
  house.run("standby retry --connection mailbox --to-board 'Board b1'");
  const auto many = ledger.next("standby.retry_many.v1", "filter");
  REQUIRE(many.has_value());
  const auto bulk = codec::decode<messages::StandbyRetryMany>(many->body);
  CHECK(bulk->filter.connection_id == connection_id);
  CHECK(bulk->board_id == public_board);
  const auto unknown = house.run("standby assign " + item_id + " --board Nowhere");
  CHECK(unknown.status == 1);
  CHECK(unknown.has("there is no board named Nowhere; there are "));
}

TEST_CASE("an item of a mail shows who wrote it, and where it is as it came") {
  const auto show = House::shared().run("standby show " + item_id);
  CHECK(show.status == 0);
  for (const char* part : {"mail.sender_address", "ann@example.org", "mail.why", "no board fits", "mail.raw_url"}) CHECK(show.has(part));
  CHECK(show.has("/v1/arrivals/" + arrival_id + "/raw"));
}

TEST_CASE("status names every kind of process, here or not") {
  const auto status = House::shared().run("status");
  CHECK(status.status == 0);
  for (const char* kind : {"api-", "ledger", "jira", "trello", "imap_poller", "mail_router", "notifier"}) {
    CAPTURE(kind);
    CHECK(status.has(kind));
  }
  CHECK(status.has("not on this host"));
}
