#pragma once
// `postroom config check`: every key in force with its source, and everything that is wrong.

#include <filesystem>

namespace postroom::cli {

// `home` empty: POSTROOM_HOME, else ./.postroom. The exit status: 0, or 1 when anything would stop a program.
int run_config_check(const std::filesystem::path& home);

}  // namespace postroom::cli
