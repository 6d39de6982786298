#include <fmt/format.h>

#include "common/store/database.hpp"
#include "common/store/migrations.hpp"

namespace postroom::store {

namespace {

constexpr std::string_view own_table = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)";

Result<void> apply(Database& database, const Migration& migration) {
  if (auto begun = database.begin(); !begun) return begun;
  auto done = database.run_script(migration.sql);
  if (done) {
    done = database.execute("INSERT INTO migrations (number, name) VALUES (?1, ?2)",
                            {static_cast<std::int64_t>(migration.number), migration.name});
  }
  if (done) done = database.commit();
  if (done) return {};
  (void)database.rollback();  // the first error is the one to tell
  return Error{done.error().code(), done.error().what(), std::string{migration.name}};
}

}  // namespace

Result<void> migrate(Database& database) {
  if (auto made = database.execute(own_table, {}); !made) return made;
  std::int64_t newest = 0;
  auto asked = database.query("SELECT COALESCE(MAX(number), 0) FROM migrations", {}, [&](const Row& row) { newest = row.integer(0); });
  if (!asked) return asked;

  const auto known = migrations();
  const std::int64_t last = known.empty() ? 0 : known.back().number;
  if (newest > last) {
    return Error{Code::conflict, fmt::format("the database is newer (migration {}) than this program (migration {}): start the newer program, or restore an older backup",
                                             newest, last)};
  }
  for (const auto& migration : known) {
    if (migration.number <= newest) continue;
    if (auto applied = apply(database, migration); !applied) return applied;
  }
  return {};
}

}  // namespace postroom::store
