// The disk itself: what it keeps and what it may lose.

#include <doctest/doctest.h>

#include <fstream>

#include "common/store/database.hpp"
#include "tests/support/power_disk.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace postroom;
using fakes::PowerDisk;

namespace {

struct Cut {
  support::ScratchFolder before, after;

  // Two rows, the second as the statement says, and then the power fails.
  explicit Cut(PowerDisk::Mood mood, const char* setting, std::int64_t cut_at = 0, std::uint64_t seed = 1) {
    PowerDisk disk{before.path(), seed};
    disk.always(mood);
    auto opened = store::open_sqlite_writer((before.path() / "db").string());
    REQUIRE(opened.ok());
    REQUIRE((*opened)->run_script("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)").ok());
    REQUIRE((*opened)->run_script(setting).ok());
    if (cut_at > 0) disk.cut_at(cut_at);
    (void)(*opened)->run_script("INSERT INTO t VALUES (2)");
    disk.cut();
    CHECK_FALSE((*opened)->run_script("INSERT INTO t VALUES (3)").ok());
    disk.leave(after.path());
  }
  std::int64_t rows() const {
    auto opened = store::open_sqlite_writer((after.path() / "db").string());
    REQUIRE(opened.ok());
    std::int64_t count = -1;
    REQUIRE(
        (*opened)->query("SELECT COUNT(*) FROM t", {}, [&](const store::Row& row) { count = row.integer(0); }).ok());
    return count;
  }
};

}  // namespace

TEST_CASE("what was synced stays, in every mood") {
  for (const auto mood : {PowerDisk::Mood::kept, PowerDisk::Mood::dropped, PowerDisk::Mood::mixed}) {
    CHECK(Cut{mood, "PRAGMA synchronous = FULL"}.rows() == 2);
  }
}

TEST_CASE("what was not synced is there or not, as the mood is") {
  CHECK(Cut{PowerDisk::Mood::kept, "PRAGMA synchronous = OFF"}.rows() == 2);
  CHECK(Cut{PowerDisk::Mood::dropped, "PRAGMA synchronous = OFF"}.rows() == 1);
}

TEST_CASE("a cut in the middle of a commit leaves the commit or nothing of it") {
  bool had_one = false, had_two = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto rows =
        Cut{PowerDisk::Mood::mixed, "PRAGMA synchronous = FULL", 1 + static_cast<std::int64_t>(seed % 4), seed}.rows();
    CHECK((rows == 1 || rows == 2));
    had_one |= rows == 1;
    had_two |= rows == 2;
  }
  CHECK(had_one);
  CHECK(had_two);
}

TEST_CASE("a new file whose folder was not synced may be gone") {
  support::ScratchFolder before, after;
  {
    PowerDisk disk{before.path(), 1};
    disk.always(PowerDisk::Mood::dropped);
    auto node = disk.open((before.path() / "new").string(), true);
    REQUIRE(node != nullptr);
    CHECK(disk.write(*node, 0, "bytes"));
    CHECK(disk.sync(*node));
    disk.cut();
    disk.leave(after.path());
  }
  CHECK_FALSE(std::filesystem::exists(after.path() / "new"));
  support::ScratchFolder again;
  {
    PowerDisk disk{before.path(), 1};
    disk.always(PowerDisk::Mood::dropped);
    auto node = disk.open((before.path() / "new").string(), true);
    REQUIRE(node != nullptr);
    CHECK(disk.write(*node, 0, "bytes"));
    CHECK(disk.sync(*node));
    disk.sync_folder();
    CHECK(disk.write(*node, 2, "unsynced"));
    disk.cut();
    disk.leave(again.path());
  }
  std::string content;
  std::ifstream{again.path() / "new"} >> content;
  CHECK(content == "bytes");
}
