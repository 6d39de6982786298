#pragma once
// Messages ↔ JSON (RFC 8259), driven by their describe(). Defined for every type of messages/all.hpp and the nested types named in codec.cpp.

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/messages/all.hpp"
#include "common/messages/stored.hpp"

namespace postroom::codec {

constexpr std::size_t longest_body = 1 << 20;  // bytes; larger bodies are refused before they are parsed
constexpr int deepest_nesting = 32;

template <class Message>
std::string encode(const Message& message);

// bad_message with a JSON pointer (RFC 6901) in `where`: wrong JSON, a missing member, a wrong type, an unknown enum value.
// Unknown members are ignored; duplicate members, non-finite numbers and invalid UTF-8 are refused.
template <class Message>
Result<Message> decode(std::string_view body);

// Checks that `text` is one acceptable JSON value and returns it without insignificant blanks.
Result<std::string> normalised_json(std::string_view text);

}  // namespace postroom::codec
