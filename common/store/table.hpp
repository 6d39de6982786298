#pragma once
// Rows in and out of tables, from the columns that a row names. Statements are built once for a row type (updates: once for a set of columns).

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/messages/describe.hpp"
#include "common/store/database.hpp"

namespace postroom::store {

namespace detail {

inline Value value_of(const std::string& text) { return std::string_view{text}; }
inline Value value_of(std::int64_t number) { return number; }
inline Value value_of(bool flag) { return static_cast<std::int64_t>(flag); }
template <class E>
  requires std::is_enum_v<E>
Value value_of(E value) {
  return messages::name_of(value);
}
template <class T>
Value value_of(const std::optional<T>& value) {
  return value ? value_of(*value) : Value{nullptr};
}

inline void read(const Row& row, int column, std::string& out) { out = row.text(column); }
inline void read(const Row& row, int column, std::int64_t& out) { out = row.integer(column); }
inline void read(const Row& row, int column, bool& out) { out = row.integer(column) != 0; }
template <class E>
  requires std::is_enum_v<E>
void read(const Row& row, int column, E& out) {
  out = messages::value_of<E>(row.text(column)).value_or(E{});
}
template <class T>
void read(const Row& row, int column, std::optional<T>& out) {
  if (row.is_null(column)) {
    out.reset();
  } else {
    read(row, column, out.emplace());
  }
}

template <class R>
std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  R row;
  R::describe(row, [&](std::string_view name, auto&) { names.push_back(name); });
  return names;
}

template <class R>
std::string key_condition(int first_parameter) {
  std::string text;
  const auto names = names_of<R>();
  for (int i = 0; i < R::key_columns; ++i) text += fmt::format("{}{} = ?{}", i == 0 ? "" : " AND ", names[static_cast<std::size_t>(i)], first_parameter + i);
  return text;
}

template <class R>
std::string insert_text() {
  const auto names = names_of<R>();
  std::string marks;
  for (std::size_t i = 1; i <= names.size(); ++i) marks += fmt::format("{}?{}", i == 1 ? "" : ", ", i);
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", R::table, fmt::join(names, ", "), marks);
}

}  // namespace detail

// "id, name, …", for SELECT.
template <class R>
const std::string& columns() {
  static const std::string text = fmt::format("{}", fmt::join(detail::names_of<R>(), ", "));
  return text;
}

template <class R>
R row_from(const Row& row) {
  R out;
  int column = 0;
  R::describe(out, [&](std::string_view, auto& member) { detail::read(row, column++, member); });
  return out;
}

template <class R>
Result<void> insert(Database& database, const R& row) {
  static const std::string sql = detail::insert_text<R>();
  std::vector<Value> values;
  values.reserve(32);
  R::describe(row, [&](std::string_view, const auto& member) { values.push_back(detail::value_of(member)); });
  return database.execute(sql, values);
}

// As insert; nothing happens when a row with its key is there already.
template <class R>
Result<void> insert_missing(Database& database, const R& row) {
  static const std::string sql = detail::insert_text<R>() + " ON CONFLICT DO NOTHING";
  std::vector<Value> values;
  values.reserve(32);
  R::describe(row, [&](std::string_view, const auto& member) { values.push_back(detail::value_of(member)); });
  return database.execute(sql, values);
}

// Writes the columns that differ; nothing when none does. The key may not differ. conflict when the row is gone.
template <class R>
Result<void> update(Database& database, const R& before, const R& after) {
  std::vector<Value> old_values;
  old_values.reserve(32);
  R::describe(before, [&](std::string_view, const auto& member) { old_values.push_back(detail::value_of(member)); });
  std::vector<Value> values;
  std::string sql = fmt::format("UPDATE {} SET ", R::table);
  std::size_t column = 0;
  R::describe(after, [&](std::string_view name, const auto& member) {
    const Value value = detail::value_of(member);
    if (value != old_values[column]) {
      values.push_back(value);
      fmt::format_to(std::back_inserter(sql), "{}{} = ?{}", values.size() == 1 ? "" : ", ", name, values.size());
    }
    ++column;
  });
  if (values.empty()) return {};
  sql += " WHERE " + detail::key_condition<R>(static_cast<int>(values.size()) + 1);
  for (int i = 0; i < R::key_columns; ++i) values.push_back(old_values[static_cast<std::size_t>(i)]);
  if (auto done = database.execute(sql, values); !done) return done;
  if (database.changed_rows() != 1) return Error{Code::conflict, fmt::format("a row of {} to update is gone", R::table)};
  return {};
}

template <class R>
Result<void> remove(Database& database, const R& row) {
  static const std::string sql = fmt::format("DELETE FROM {} WHERE {}", R::table, detail::key_condition<R>(1));
  std::vector<Value> values;
  R::describe(row, [&](std::string_view, const auto& member) {
    if (values.size() < static_cast<std::size_t>(R::key_columns)) values.push_back(detail::value_of(member));
  });
  return database.execute(sql, values);
}

// `rest`: "WHERE …", "ORDER BY …"; its text is code, its values are parameters.
template <class R>
Result<std::vector<R>> select(Database& database, std::string_view rest, std::span<const Value> parameters) {
  std::vector<R> rows;
  auto done = database.query(fmt::format("SELECT {} FROM {} {}", columns<R>(), R::table, rest), parameters,
                             [&](const Row& row) { rows.push_back(row_from<R>(row)); });
  if (!done) return done.error();
  return rows;
}
template <class R>
Result<std::vector<R>> select(Database& database, std::string_view rest, std::initializer_list<Value> parameters) {
  return select<R>(database, rest, std::span<const Value>{parameters.begin(), parameters.size()});
}

template <class R>
Result<std::optional<R>> select_one(Database& database, std::string_view rest, std::initializer_list<Value> parameters) {
  auto rows = select<R>(database, rest, parameters);
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<R>{};
  return std::optional<R>{std::move(rows->front())};
}

}  // namespace postroom::store
