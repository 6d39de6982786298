#pragma once
// board.create.v1, board.update.v1, board.delete.v1 (api → ledger).

#include <cstdint>
#include <vector>

#include "common/messages/target.hpp"

namespace postroom::messages {

enum class BoardState { active, archived };
template <>
inline constexpr std::array enum_names<BoardState>{std::pair{BoardState::active, std::string_view{"active"}},
                                                   std::pair{BoardState::archived, std::string_view{"archived"}}};

struct BoardCreate {
  static constexpr std::string_view type = "board.create.v1";
  std::string board_id;
  std::string actor;
  std::string name;
  bool is_public = false;  // anyone may post a ticket to it
  std::vector<std::string> keywords;
  Target target;
  bool operator==(const BoardCreate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("board_id", self.board_id);
    field("actor", self.actor);
    field("name", self.name);
    field("is_public", self.is_public);
    field("keywords", self.keywords);
    field("target", self.target);
  }
};

// Only what is given changes.
struct BoardUpdate {
  static constexpr std::string_view type = "board.update.v1";
  std::string board_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> name;
  std::optional<bool> is_public;
  std::optional<std::vector<std::string>> keywords;
  std::optional<Target> target;
  std::optional<BoardState> state;
  bool operator==(const BoardUpdate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("board_id", self.board_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("name", self.name);
    field("is_public", self.is_public);
    field("keywords", self.keywords);
    field("target", self.target);
    field("state", self.state);
  }
};

// Refused (409) while the board has tickets or standby items: archive it instead.
struct BoardDelete {
  static constexpr std::string_view type = "board.delete.v1";
  std::string board_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  bool operator==(const BoardDelete&) const = default;
  static void describe(auto& self, auto&& field) {
    field("board_id", self.board_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
  }
};

}  // namespace postroom::messages
