#pragma once
// What creating and changing an inbox have in common: members that are judged against each other.

#include "api/handlers/command_plan.hpp"

namespace postroom::api {

constexpr std::int64_t second_ms = 1'000, minute_ms = 60'000;

// A reference that null takes away: an id in lower case, "" for null, none when it was not given.
std::optional<std::string> reference_of(Json id);

// Where mails are moved to is named exactly when they are moved, and is another folder. `folder`, `after` and `after_folder`: as they will be.
void judge_after(std::string_view folder, messages::AfterImport after, const std::optional<std::string>& after_folder, std::vector<Flaw>& flaws);

}  // namespace postroom::api
