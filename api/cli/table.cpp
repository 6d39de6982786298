#include "api/cli/table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string_view>

namespace postroom::cli {

namespace {

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::size_t width_of(std::string_view text) { return static_cast<std::size_t>(std::ranges::count_if(text, begins_code_point)); }

// What others wrote must not move the cursor or colour the terminal.
std::string shown(std::string_view text, std::size_t widest) {
  std::string out;
  std::size_t width = 0;
  for (std::size_t n = 0; n < text.size(); ++n) {
    if (begins_code_point(text[n]) && ++width > widest) return out + "…";
    const auto byte = static_cast<unsigned char>(text[n]);
    const bool is_c1 = byte == 0xc2 && n + 1 < text.size() && static_cast<unsigned char>(text[n + 1]) < 0xa0;  // U+0080 to U+009F, two bytes each
    out.push_back(byte < 0x20 || byte == 0x7f || is_c1 ? ' ' : text[n]);
    if (is_c1) ++n;
  }
  return out;
}

}  // namespace

std::string Table::text(std::size_t widest, std::size_t line_width) const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::vector<std::string>> cells(rows_.size());
  std::vector<std::size_t> widths(columns, 0);
  for (std::size_t column = 0; column < columns; ++column) {
    std::size_t most = widest;
    if (column + 1 == columns && line_width != unbounded) {
      const std::size_t before = std::accumulate(widths.begin(), widths.end(), 2 * column);
      most = std::max(least_last, line_width - std::min(line_width, before));
    }
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (column >= rows_[row].size()) continue;
      const std::string& cell = rows_[row][column];
      const bool is_cut_to_line = most != widest && width_of(cell) > most;  // the sign that it was cut needs a place of its own
      cells[row].push_back(shown(cell, is_cut_to_line ? most - 1 : most));
      widths[column] = std::max(widths[column], width_of(cells[row].back()));
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

std::optional<std::size_t> terminal_width() {
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

void Table::print() const {
  const std::string all = text();
  std::fwrite(all.data(), 1, all.size(), stdout);
}

}  // namespace postroom::cli
