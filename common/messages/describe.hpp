#pragma once
// How a message tells its members, once, for writing, reading and comparing:
//
//   struct BoardDelete {
//     static constexpr std::string_view type = "board.delete.v1";
//     std::string board_id;
//     std::optional<std::int64_t> expected_version;
//     static void describe(auto& self, auto&& field) { field("board_id", self.board_id); field("expected_version", self.expected_version); }
//   };
//
// Members may be std::string, bool, std::int64_t, enums with names, RawJson, nested described structs, std::vector and std::optional of those.
// An empty optional is left out; a missing optional is empty; any other missing member is an error. Unknown members are ignored.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postroom::messages {

// JSON carried as it is, e.g. the body of a reply. `text` is one valid JSON value.
struct RawJson {
  std::string text = "null";
  bool operator==(const RawJson&) const = default;
};

// The names of an enum's values. Specialise: template <> inline constexpr std::array enum_names<Color>{std::pair{Color::red, std::string_view{"red"}}, …};
template <class E>
inline constexpr int enum_names = 0;

template <class E>
constexpr std::string_view name_of(E value) {
  for (const auto& [known, name] : enum_names<E>) {
    if (known == value) return name;
  }
  return "";
}

template <class E>
constexpr std::optional<E> value_of(std::string_view name) {
  for (const auto& [known, text] : enum_names<E>) {
    if (text == name) return known;
  }
  return std::nullopt;
}

}  // namespace postroom::messages
