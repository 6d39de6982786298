// What every driver of the Database port must do.

#include <doctest/doctest.h>

#include "common/store/migrations.hpp"
#include "common/store/rows.hpp"
#include "common/store/table.hpp"
#include "tests/support/scratch.hpp"

using namespace postroom;
using namespace postroom::store;

namespace {

std::int64_t count(Database& database, std::string_view table) {
  std::int64_t found = -1;
  REQUIRE(database.query(std::string{"SELECT COUNT(*) FROM "}.append(table), {}, [&](const Row& row) { found = row.integer(0); }).ok());
  return found;
}

CounterRow counter(std::string name, std::int64_t value) { return CounterRow{std::move(name), value}; }

}  // namespace

TEST_CASE("values come back as they went in: text with any byte, empty text, null, large numbers") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  const std::string odd = "quote ' nul \xe2\x82\xac end";
  REQUIRE(database->execute("INSERT INTO installation (name, value) VALUES (?1, ?2)", {odd, std::string_view{}}).ok());
  int rows = 0;
  REQUIRE(database->query("SELECT name, value, ?1, ?2 FROM installation", {nullptr, std::int64_t{INT64_MIN}}, [&](const Row& row) {
    ++rows;
    CHECK(row.text(0) == odd);
    CHECK(row.text(1).empty());
    CHECK_FALSE(row.is_null(1));
    CHECK(row.is_null(2));
    CHECK(row.text(2).empty());
    CHECK(row.integer(3) == INT64_MIN);
  }).ok());
  CHECK(rows == 1);
}

TEST_CASE("a constraint is a conflict, a wrong statement is a bug") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  REQUIRE(insert(*database, counter("a", 1)).ok());
  const auto again = insert(*database, counter("a", 2));
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code() == Code::conflict);
  const auto wrong = database->execute("INSERT INTO nowhere VALUES (1)", {});
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code() == Code::bug);
}

TEST_CASE("a reference to a row that is not there is a conflict") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  TicketRow ticket;
  ticket.id = "t";
  ticket.board_id = "no such board";
  const auto inserted = insert(*database, ticket);
  REQUIRE_FALSE(inserted.ok());
  CHECK(inserted.error().code() == Code::conflict);
}

TEST_CASE("a savepoint takes back one message, the transaction keeps its neighbours") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  REQUIRE(database->begin().ok());
  REQUIRE(database->savepoint().ok());
  REQUIRE(insert(*database, counter("kept", 1)).ok());
  REQUIRE(database->release_savepoint().ok());
  REQUIRE(database->savepoint().ok());
  REQUIRE(insert(*database, counter("dropped", 1)).ok());
  REQUIRE_FALSE(insert(*database, counter("kept", 2)).ok());
  REQUIRE(database->rollback_to_savepoint().ok());
  REQUIRE(database->savepoint().ok());
  REQUIRE(insert(*database, counter("kept too", 1)).ok());
  REQUIRE(database->release_savepoint().ok());
  REQUIRE(database->commit().ok());
  CHECK(count(*database, "counters") == 2);
}

TEST_CASE("a rollback leaves nothing, also when nothing was begun") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  REQUIRE(database->begin().ok());
  REQUIRE(insert(*database, counter("a", 1)).ok());
  REQUIRE(database->rollback().ok());
  CHECK(count(*database, "counters") == 0);
  CHECK(database->rollback().ok());
}

TEST_CASE("an update writes what differs and says when the row is gone") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  REQUIRE(insert(*database, counter("a", 1)).ok());
  REQUIRE(update(*database, counter("a", 1), counter("a", 7)).ok());
  CHECK(database->changed_rows() == 1);
  const auto read = select_one<CounterRow>(*database, "WHERE name = ?1", {std::string_view{"a"}});
  REQUIRE(read.ok());
  CHECK((*read)->value == 7);
  const auto gone = update(*database, counter("b", 1), counter("b", 2));
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().code() == Code::conflict);
  REQUIRE(remove(*database, counter("a", 7)).ok());
  CHECK(count(*database, "counters") == 0);
}

TEST_CASE("rows round-trip with enums, flags and empty members") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  DeliveryRow row;
  row.id = "d";
  row.ticket_id = "t";
  row.state = DeliveryState::claimed;
  row.step = DeliveryStep::resolve;
  row.maybe_sent = true;
  row.probe_base = 17;
  row.reason_class = messages::ReasonClass::server_error;
  BoardRow board;
  board.id = "b";
  TicketRow ticket;
  ticket.id = "t";
  ticket.board_id = "b";
  ticket.creator_name = "Ada";
  REQUIRE(insert(*database, board).ok());
  REQUIRE(insert(*database, ticket).ok());
  REQUIRE(insert(*database, row).ok());
  const auto read = select<DeliveryRow>(*database, "", {});
  REQUIRE(read.ok());
  CHECK(read->front() == row);
  const auto tickets = select<TicketRow>(*database, "", {});
  REQUIRE(tickets.ok());
  CHECK(tickets->front() == ticket);
}

TEST_CASE("an empty database gets every migration once, and again nothing") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  CHECK(count(*database, "migrations") == static_cast<std::int64_t>(migrations().size()));
  CHECK(migrate(*database).ok());
  CHECK(count(*database, "migrations") == static_cast<std::int64_t>(migrations().size()));
}

TEST_CASE("a database that is newer than the program is refused and left alone") {
  const fakes::ScratchFolder folder;
  auto database = fakes::new_database(folder.path() / "db");
  REQUIRE(database->execute("INSERT INTO migrations (number, name) VALUES (9999, '9999_future')", {}).ok());
  const auto refused = migrate(*database);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::conflict);
  CHECK(refused.error().what().find("9999") != std::string::npos);
}

TEST_CASE("a reader sees commits only, cannot write, and is interrupted when it takes too long") {
  const fakes::ScratchFolder folder;
  auto writer = fakes::new_database(folder.path() / "db");
  auto opened = open_sqlite_reader((folder.path() / "db").string(), std::chrono::milliseconds{20});
  REQUIRE(opened.ok());
  auto& reader = **opened;
  REQUIRE(writer->begin().ok());
  REQUIRE(insert(*writer, counter("a", 1)).ok());
  CHECK(count(reader, "counters") == 0);
  REQUIRE(writer->commit().ok());
  CHECK(count(reader, "counters") == 1);
  CHECK_FALSE(insert(reader, counter("b", 1)).ok());
  const auto endless = reader.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n", {}, [](const Row&) {});
  REQUIRE_FALSE(endless.ok());
  CHECK(endless.error().code() == Code::timeout);
}

TEST_CASE("a reader of a file that is not there yet says not_found") {
  const fakes::ScratchFolder folder;
  const auto opened = open_sqlite_reader((folder.path() / "none").string(), std::chrono::seconds{1});
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == Code::not_found);
}

TEST_CASE("the write-ahead log stays when the writer closes") {
  const fakes::ScratchFolder folder;
  fakes::new_database(folder.path() / "db").reset();
  CHECK(std::filesystem::exists(folder.path() / "db-wal"));
}
