#pragma once
// Identifiers that a repeated request finds again (RFC 9562 UUIDv5 over the Idempotency-Key), so that a repeat names the same things.

#include <string>
#include <string_view>

#include "common/base/ids.hpp"

namespace postroom::api {

struct CommandOrigin {
  std::string_view installation;     // its UUID, the name space
  std::string_view principal;        // name; empty for a public form
  std::string_view board;            // of a public form
  std::string_view route;            // "POST /boards/{id}/tickets"
  std::string_view idempotency_key;  // empty: none
};

// With a key: the same origin, the same id. Without: a new UUIDv7.
std::string command_id(const CommandOrigin& origin, IdSource& ids);

// The id of what a command makes: `thing` is "ticket", "board", "connection" or "copy".
std::string made_by(std::string_view command_id, std::string_view thing);

}  // namespace postroom::api
