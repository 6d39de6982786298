// The SQLite driver. One connection = one thread. Statements are prepared once and kept; SQL texts come from code, so their number is small.

#include <fmt/format.h>
#include <sqlite3.h>

#include <unordered_map>

#include "common/base/sabotage.hpp"
#include "common/store/database.hpp"

namespace postroom::store {

namespace {

constexpr std::size_t most_statements = 500;
constexpr int busy_timeout_ms = 5'000;       // the only other writer is a migration by hand
constexpr int checkpoint_pages = 2'000;      // 8 MB of WAL; larger values lengthen the worst commit
constexpr int instructions_between_checks = 4'000;

Code code_of(int extended) {
  switch (extended & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::io;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::unavailable;
    case SQLITE_CONSTRAINT: return Code::conflict;
    case SQLITE_INTERRUPT: return Code::timeout;
    default: return Code::bug;
  }
}

std::string place_of(int extended) {
  switch (extended & 0xff) {
    case SQLITE_FULL: return std::string{disk_full};
    case SQLITE_IOERR: return fmt::format("{} ({})", input_output_error, extended);
    default: return fmt::format("sqlite {}", extended);
  }
}

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) const override {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr ? std::string{} : std::string{bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(sqlite3* connection) : connection_(connection) {}
  ~SqliteDatabase() override {
    forget_statements();
    sqlite3_close_v2(connection_);
  }

  Result<void> run_script(std::string_view sql) override {
    const std::string text{sql};
    if (sqlite3_exec(connection_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failure("script");
    return {};
  }

  Result<void> execute(std::string_view sql, std::span<const Value> parameters) override {
    return query(sql, parameters, [](const Row&) {});
  }

  Result<void> query(std::string_view sql, std::span<const Value> parameters, const std::function<void(const Row&)>& each) override {
    sqlite3_stmt* statement = prepared(sql);
    if (statement == nullptr) return failure(sql);
    bind(statement, parameters);
    const SqliteRow row{statement};
    started_ = std::chrono::steady_clock::now();
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) each(row);
    if (step == SQLITE_DONE) {
      sqlite3_reset(statement);
      return {};
    }
    auto failed = failure(sql);
    sqlite3_reset(statement);
    return failed;
  }

  std::int64_t changed_rows() const override { return sqlite3_changes64(connection_); }

  Result<void> begin() override { return execute("BEGIN IMMEDIATE", {}); }
  Result<void> commit() override { return execute("COMMIT", {}); }
  Result<void> rollback() override {
    // After some errors (disk full, I/O) SQLite has rolled back by itself.
    if (sqlite3_get_autocommit(connection_) != 0) return {};
    return execute("ROLLBACK", {});
  }
  Result<void> savepoint() override { return execute("SAVEPOINT message", {}); }
  Result<void> release_savepoint() override { return execute("RELEASE message", {}); }
  Result<void> rollback_to_savepoint() override {
    auto undone = execute("ROLLBACK TO message", {});
    return undone ? execute("RELEASE message", {}) : undone;
  }

  using Database::execute;
  using Database::query;

  // Without this a clean close removes the -wal and -shm files under the readers' feet.
  Result<void> keep_wal() {
    int on = 1;
    if (sqlite3_file_control(connection_, nullptr, SQLITE_FCNTL_PERSIST_WAL, &on) != SQLITE_OK) return failure("persist wal");
    return {};
  }

  void limit_statements(std::chrono::milliseconds longest) {
    longest_ = longest;
    sqlite3_progress_handler(
        connection_, instructions_between_checks, [](void* self) { return static_cast<SqliteDatabase*>(self)->is_late() ? 1 : 0; }, this);
  }

 private:
  Error failure(std::string_view sql) const {
    const int extended = sqlite3_extended_errcode(connection_);
    return Error{code_of(extended), fmt::format("{} in: {}", sqlite3_errmsg(connection_), sql.substr(0, 120)), place_of(extended)};
  }

  sqlite3_stmt* prepared(std::string_view sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
    if (statements_.size() >= most_statements) forget_statements();
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
      return nullptr;
    }
    statements_.emplace(sql, statement);
    return statement;
  }

  static void bind(sqlite3_stmt* statement, std::span<const Value> parameters) {
    int index = 0;
    for (const auto& value : parameters) {
      ++index;
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        sqlite3_bind_int64(statement, index, *number);
      } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        // An empty view may have no address, and a null address would bind NULL.
        sqlite3_bind_text64(statement, index, text->data() == nullptr ? "" : text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
      } else {
        sqlite3_bind_null(statement, index);
      }
    }
  }

  void forget_statements() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    statements_.clear();
  }

  bool is_late() const { return std::chrono::steady_clock::now() - started_ > longest_; }

  sqlite3* connection_;
  std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements_;
  std::chrono::milliseconds longest_{0};
  std::chrono::steady_clock::time_point started_{};
};

Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path, int flags) {
  sqlite3* connection = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (opened != SQLITE_OK) {
    const std::string why = connection == nullptr ? "out of memory" : sqlite3_errmsg(connection);
    sqlite3_close_v2(connection);
    const bool is_missing = (flags & SQLITE_OPEN_CREATE) == 0 && (opened & 0xff) == SQLITE_CANTOPEN;
    return Error{is_missing ? Code::not_found : code_of(opened), fmt::format("cannot open the database: {}", why), path};
  }
  sqlite3_busy_timeout(connection, busy_timeout_ms);
  return std::make_unique<SqliteDatabase>(connection);
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite_writer(const std::string& path) {
  auto opened = open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!opened) return opened.error();
  auto& database = **opened;
  // FULL: a message is acked after its commit, so a commit must not roll back with the power.
  const std::string settings = fmt::format(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = {}; PRAGMA cache_size = -4000; "
      "PRAGMA temp_store = MEMORY",
      saboteur("commit_not_synced") ? "NORMAL" : "FULL", checkpoint_pages);
  if (auto set = database.run_script(settings); !set) return set.error();
  if (auto kept = database.keep_wal(); !kept) return kept.error();
  return std::unique_ptr<Database>{std::move(*opened)};
}

Result<std::unique_ptr<Database>> open_sqlite_reader(const std::string& path, std::chrono::milliseconds longest) {
  auto opened = open(path, SQLITE_OPEN_READONLY);
  if (!opened) return opened.error();
  if (auto set = (*opened)->run_script("PRAGMA query_only = ON; PRAGMA cache_size = -1000"); !set) return set.error();
  (*opened)->limit_statements(longest);
  return std::unique_ptr<Database>{std::move(*opened)};
}

}  // namespace postroom::store
