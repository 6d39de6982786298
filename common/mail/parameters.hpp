#pragma once
// Content-Type and Content-Disposition: a value and its parameters (RFC 2045, 5.1), with RFC 2231 charsets and
// continuations.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/message.hpp"

namespace postroom::mail {

struct Parameters {
  std::string value;                                         // before the first semicolon, lower case
  std::vector<std::pair<std::string, std::string>> entries;  // names in lower case, the first 100; values decoded
  std::size_t count = 0;                                     // as written, also beyond 100
  bool has_foreign_names = false;                            // a name holds bytes that are not ASCII

  std::string_view get(std::string_view name) const;  // empty: none
};

constexpr std::size_t most_parameters = 100;

Parameters parse_parameters(std::string_view raw, const Charset& charset);

}  // namespace postroom::mail
