#include "api/cli/table.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace postroom::cli {

namespace {

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::size_t width_of(std::string_view text) { return static_cast<std::size_t>(std::ranges::count_if(text, begins_code_point)); }

// What others wrote must not move the cursor or colour the terminal.
std::string shown(std::string_view text, std::size_t widest) {
  std::string out;
  std::size_t width = 0;
  for (const char c : text) {
    if (begins_code_point(c) && ++width > widest) return out + "…";
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  return out;
}

}  // namespace

std::string Table::text(std::size_t widest) const {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    auto& line = cells.emplace_back();
    for (std::size_t column = 0; column < row.size(); ++column) {
      line.push_back(shown(row[column], widest));
      if (widths.size() <= column) widths.push_back(0);
      widths[column] = std::max(widths[column], width_of(line.back()));
    }
  }
  std::string out;
  for (const auto& line : cells) {
    for (std::size_t column = 0; column < line.size(); ++column) {
      out += line[column];
      if (column + 1 < line.size()) out.append(widths[column] - width_of(line[column]) + 2, ' ');
    }
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  return out;
}

void Table::print() const {
  const std::string all = text();
  std::fwrite(all.data(), 1, all.size(), stdout);
}

}  // namespace postroom::cli
