#pragma once
// command.replied.v1 (ledger → the api instance that waits).

#include <cstdint>

#include "common/messages/describe.hpp"

namespace postroom::messages {

struct CommandReplied {
  static constexpr std::string_view type = "command.replied.v1";
  std::string command_id;
  std::int64_t status = 200;  // HTTP status: 200, 201, or the ledger's 4xx
  RawJson body;               // the new state, or an RFC 9457 problem
  bool operator==(const CommandReplied&) const = default;
  static void describe(auto& self, auto&& field) {
    field("command_id", self.command_id);
    field("status", self.status);
    field("body", self.body);
  }
};

}  // namespace postroom::messages
