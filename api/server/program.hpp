#pragma once
// The parts of postroom-api, put together.

#include "common/base/config.hpp"

namespace postroom::api {

// The configuration of `home` (empty: POSTROOM_HOME, else ./.postroom), and the log set up by it. Throws what is wrong, and as root.
Config load(const std::filesystem::path& home);

// Runs until SIGTERM or SIGINT, then lets what is under way finish. Throws at start when something is missing: the message says what to do.
void run(const Config& config);

}  // namespace postroom::api
