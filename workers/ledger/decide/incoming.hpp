#pragma once
// A message as it came in, for deciders that need more than its members.

#include <string>
#include <string_view>

#include "common/messages/envelope.hpp"

namespace postroom::ledger {

struct Incoming {
  const messages::Envelope& envelope;
  std::string_view exchange;
  std::string_view routing_key;
  std::string_view queue;
  std::string_view headers_json;  // "" when there are none
  std::string_view body;
};

}  // namespace postroom::ledger
