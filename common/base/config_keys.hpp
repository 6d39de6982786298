#pragma once
// The table of configuration keys: one row each, from which the file is written, read and judged. For config.cpp and
// `postroom init|config check`.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/config.hpp"

namespace postroom::config {

// Where a key's value lives in a Config; the alternative is the key's type.
using Slot = std::variant<std::string*, std::uint16_t*, std::int64_t*, Config::Millis*, std::vector<std::string>*,
                          log::Level*, log::Format*>;

struct Key {
  std::string_view section;
  std::string_view name;  // durations end in _ms
  Slot (*slot)(Config&);
  std::int64_t least;  // numbers only, both ends included
  std::int64_t most;
  std::string_view meaning;
  bool is_file_only = false;  // never from the environment
};

std::span<const Key> keys();
const Key* find_key(std::string_view section, std::string_view name);
bool is_section(std::string_view section);

std::string full_name(const Key& key);         // broker.port
std::string environment_name(const Key& key);  // POSTROOM_BROKER_PORT

// The known name that is most like `section.name`, for "did you mean"; empty when nothing is near. Without a name: the
// nearest section.
std::string nearest_key(std::string_view section, std::string_view name);

// bad_message says what the key wants; `where` is left to the caller. Lists are comma separated in text form.
Result<void> set_text(const Key& key, Config& config, std::string_view text);
Result<void> set_number(const Key& key, Config& config, std::int64_t number);
Result<void> set_list(const Key& key, Config& config, std::vector<std::string> items);

std::string value_text(const Key& key, const Config& config);  // as in the file: quoted strings, plain numbers, [lists]
std::string wanted(const Key& key);                            // "a number from 1 to 65535"

// The whole file, with comments from the table. Keys that still have their default are written as comments, so that
// later defaults apply.
std::string render_file(const Config& config);

// One key as it is in force.
struct Effective {
  std::string name;
  std::string value;
  std::string source;  // default | etc/postroom.toml:12 | POSTROOM_BROKER_PORT
};

struct Inspection {
  Config config;
  std::vector<Effective> keys;
  std::vector<Error> problems;        // any of them stops a program
  std::vector<std::string> warnings;  // variables that look like ours and name no key
};

using Environment = std::map<std::string, std::string>;

// Judges a file's text and an environment; touches neither disk nor process. `file` names the text in messages. `home`
// stays empty.
Inspection inspect_text(std::string_view text, std::string file, const Environment& environment);

// Fills in what follows from other keys: an empty api.public_url from the address.
void derive(Config& config);

// Reads all there is and collects every problem; load_config is this with the first problem as its error.
Inspection inspect(const std::filesystem::path& home = {});

}  // namespace postroom::config
