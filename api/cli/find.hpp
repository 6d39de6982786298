#pragma once
// People name things; the api wants ids.

#include <string>
#include <string_view>

#include "api/cli/frame.hpp"

namespace postroom::cli {

// The id of a thing that is named by its id or its name. `list`: where such things are listed, "/v1/boards"; `what`: "board", for the error.
Result<std::string> find_id(const Client& client, std::string_view list, std::string_view what, const std::string& name_or_id);

}  // namespace postroom::cli
