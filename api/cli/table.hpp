#pragma once
// Columns for people: as wide as their longest cell, measured in code points; control characters are shown as blanks.

#include <string>
#include <vector>

namespace postroom::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool is_empty() const { return rows_.size() == 1; }

  // The last column is not padded; cells are cut at `widest` code points.
  std::string text(std::size_t widest = 80) const;
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace postroom::cli
