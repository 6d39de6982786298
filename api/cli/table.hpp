#pragma once
// Columns for people: as wide as their longest cell, measured in code points; control characters are shown as blanks.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postroom::cli {

class Table {
 public:
  static constexpr std::size_t unbounded = SIZE_MAX, least_last = 20;
  explicit Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool is_empty() const { return rows_.size() == 1; }

  // The last column is not padded; cells are cut at `widest` code points, those of the last column at what is left of a line of `line` code points, but
  // never below `least_last`.
  std::string text(std::size_t widest = 80, std::size_t line = unbounded) const;
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Columns of the terminal that standard output is; none: it is no terminal.
std::optional<std::size_t> terminal_width();

}  // namespace postroom::cli
