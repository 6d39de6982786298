#pragma once
// The part of a target after '?': name=value pairs, percent-decoded.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"

namespace postroom::api {

class Query {
 public:
  // bad_message with the parameter's name in `where`: a wrong escape, invalid UTF-8, a control byte, a name given twice.
  static Result<Query> parse(std::string_view text);

  std::optional<std::string_view> find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace postroom::api
