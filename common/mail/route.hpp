#pragma once
// Which board a mail belongs to: the inbox's own board, else keywords against the subject, else the default board, else
// nobody knows.

#include <string>
#include <string_view>
#include <vector>

namespace postroom::mail {

struct RoutedBoard {
  std::string id;
  std::string name;
  bool is_active = true;
  std::vector<std::string> keywords;
};

struct RoutedInbox {
  std::string name;
  std::string exclusive_board_id;  // empty: shared by all boards
};

struct Route {
  std::string board_id;  // empty: standby
  std::string board_name;
  std::string why;  // one sentence, for the ticket's history
};

// Keywords are compared without case. One of up to three characters must stand as a word of its own; a longer one may
// be part of a word. Among several matches the longest keyword wins, then the first board given.
Route route(const RoutedInbox& inbox, std::string_view subject, const std::vector<RoutedBoard>& boards,
            std::string_view default_board_id);

bool matches_keyword(std::string_view subject, std::string_view keyword);

}  // namespace postroom::mail
