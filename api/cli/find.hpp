#pragma once
// People name things; the api wants ids.

#include <string>
#include <string_view>
#include <vector>

#include "api/cli/frame.hpp"

namespace postroom::cli {

struct Named {
  std::string id;
  std::string name;
};

// The one that is meant: by its id, by its name, or by its name but for upper and lower case. not_found, or conflict when more than one is meant: each
// says what there is. `what`: "board", for the error.
Result<std::string> choose(const std::vector<Named>& all, std::string_view what, const std::string& name_or_id);

// All things of a list, "/v1/boards".
Result<std::vector<Named>> all_named(const Client& client, std::string_view list);

// choose() among what `list` has; an id is taken at its word.
Result<std::string> find_id(const Client& client, std::string_view list, std::string_view what, const std::string& name_or_id);

// Replaces each name that was given by the id that is meant; what is empty stays so.
struct Naming {
  std::string_view list;
  std::string_view what;
  std::string* name_or_id;
};
Result<void> find_ids(const Client& client, const std::vector<Naming>& namings);

inline Naming a_board(std::string& name_or_id) { return {"/v1/boards", "board", &name_or_id}; }
inline Naming a_connection(std::string& name_or_id) { return {"/v1/connections", "connection", &name_or_id}; }

}  // namespace postroom::cli
