#pragma once
// The one door to Boost.JSON: strict parsing with our limits. Private to common/codec and to folders that it lends to (api/server's validator).

#include <boost/json/value.hpp>

#include "common/base/result.hpp"
#include "common/codec/codec.hpp"

namespace postroom::codec {

// Depth ≤ 32, no duplicate keys, finite numbers, valid UTF-8. `where` of an error is the byte offset.
Result<boost::json::value> parse(std::string_view text, boost::json::storage_ptr storage = {}, std::size_t longest = longest_body);

// "/a/0/b" with ~0 and ~1 escapes.
std::string pointer_to(std::string_view parent, std::string_view member);

}  // namespace postroom::codec
