#pragma once
// A board's target from a request body: the schema has judged its shape, here its parts are judged against each other.

#include "api/handlers/command_plan.hpp"

namespace postroom::api {

// Adds a flaw for each part that is missing for the kind, or belongs to another.
messages::Target target_of(Json target, std::vector<Flaw>& flaws);

std::vector<std::string> keywords_of(Json keywords);

}  // namespace postroom::api
