#include "common/mail/route.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/mail/plain_text.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t longest_whole_word = 3;  // characters

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

const RoutedBoard* board_with_id(const std::vector<RoutedBoard>& boards, std::string_view id) {
  const auto found =
      std::find_if(boards.begin(), boards.end(), [&](const RoutedBoard& board) { return board.id == id; });
  return found == boards.end() ? nullptr : &*found;
}

}  // namespace

bool matches_keyword(std::string_view subject, std::string_view keyword) {
  const std::string text = comparable(subject);
  const std::string wanted = comparable(keyword);
  if (wanted.empty()) return false;
  // Scripts that write without blanks have no word borders to look for.
  const bool is_whole_word = is_ascii(wanted) && character_count(wanted) <= longest_whole_word;
  for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
    const auto end = at + wanted.size();
    const bool stands_alone =
        (at == 0 || !is_word_byte(text[at - 1])) && (end == text.size() || !is_word_byte(text[end]));
    if (!is_whole_word || stands_alone) return true;
  }
  return false;
}

Route route(const RoutedInbox& inbox, std::string_view subject, const std::vector<RoutedBoard>& boards,
            std::string_view default_board_id) {
  if (!inbox.exclusive_board_id.empty()) {
    const RoutedBoard* board = board_with_id(boards, inbox.exclusive_board_id);
    if (board == nullptr) return {"", "", fmt::format("inbox {} belongs to a board that does not exist", inbox.name)};
    if (!board->is_active)
      return {"", "", fmt::format("inbox {} belongs to board {}, which is archived", inbox.name, board->name)};
    return {board->id, board->name, fmt::format("inbox {} belongs to board {} alone", inbox.name, board->name)};
  }
  const RoutedBoard* best = nullptr;
  std::string_view best_keyword;
  for (const RoutedBoard& board : boards) {
    if (!board.is_active) continue;
    for (const std::string& keyword : board.keywords) {
      if (character_count(keyword) > character_count(best_keyword) && matches_keyword(subject, keyword)) {
        best = &board;
        best_keyword = keyword;
      }
    }
  }
  if (best != nullptr)
    return {best->id, best->name,
            fmt::format("the subject holds keyword \"{}\" of board {}", best_keyword, best->name)};
  if (!default_board_id.empty()) {
    const RoutedBoard* board = board_with_id(boards, default_board_id);
    if (board != nullptr && board->is_active)
      return {board->id, board->name,
              fmt::format("no keyword matches the subject; {} is the default board", board->name)};
    return {"", "", "no keyword matches the subject, and the default board is missing or archived"};
  }
  return {"", "", "no keyword of an active board matches the subject, and there is no default board"};
}

}  // namespace postroom::mail
