#pragma once
// The port to a SQL database: one interface, one driver each for SQLite and (later) PostgreSQL, one conformance suite.
// SQL is the subset that both share; parameters are written ?1, ?2 … and bound in order.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"

namespace postroom::store {

// A bound parameter; text is borrowed for the call.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

// One row of an answer, valid inside the callback only.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string text(int column) const = 0;  // empty when null
};

// What Error::where() of an io error begins with, when it matters which one it was.
inline constexpr std::string_view disk_full = "disk full";
inline constexpr std::string_view input_output_error = "input/output error";

// Errors: io (disk full, I/O error, out of memory: nothing is wrong with the statement), unavailable (locked), conflict (a constraint), bug (the rest).
class Database {
 public:
  virtual ~Database() = default;

  virtual Result<void> run_script(std::string_view sql) = 0;  // several statements, no parameters
  virtual Result<void> execute(std::string_view sql, std::span<const Value> parameters) = 0;
  virtual Result<void> query(std::string_view sql, std::span<const Value> parameters, const std::function<void(const Row&)>& each) = 0;
  virtual std::int64_t changed_rows() const = 0;  // by the last execute

  virtual Result<void> begin() = 0;  // takes the write lock at once
  virtual Result<void> commit() = 0;  // returns after the data is on stable storage
  virtual Result<void> rollback() = 0;
  virtual Result<void> savepoint() = 0;           // one level
  virtual Result<void> release_savepoint() = 0;
  virtual Result<void> rollback_to_savepoint() = 0;

  Result<void> execute(std::string_view sql, std::initializer_list<Value> parameters) {
    return execute(sql, std::span<const Value>{parameters.begin(), parameters.size()});
  }
  Result<void> query(std::string_view sql, std::initializer_list<Value> parameters, const std::function<void(const Row&)>& each) {
    return query(sql, std::span<const Value>{parameters.begin(), parameters.size()}, each);
  }
};

// The writer's connection: WAL, synchronous=FULL, own checkpoints (PASSIVE), persistent WAL file. Creates the file.
Result<std::unique_ptr<Database>> open_sqlite_writer(const std::string& path);
// Read only; a statement that runs longer than `longest` is interrupted (timeout).
Result<std::unique_ptr<Database>> open_sqlite_reader(const std::string& path, std::chrono::milliseconds longest);

// Applies schemas/sql/NNNN_*.sql (compiled in) that the database does not have yet, each in a transaction. Refuses a database that is newer.
Result<void> migrate(Database& database);

}  // namespace postroom::store
