#pragma once
// Bodies of requests, member by member; what was not given is left out.

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/text.hpp"

namespace postroom::cli {

class JsonMembers {
 public:
  JsonMembers& text(std::string_view name, std::string_view value) {
    return value.empty() ? *this : raw(name, fmt::format("\"{}\"", json_escaped(value)));
  }
  JsonMembers& number(std::string_view name, std::optional<std::int64_t> value) { return value ? raw(name, fmt::format("{}", *value)) : *this; }
  JsonMembers& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  std::string object() const { return "{" + members_ + "}"; }

 private:
  JsonMembers& raw(std::string_view name, std::string_view json) {
    members_ += fmt::format("{}\"{}\":{}", members_.empty() ? "" : ",", name, json);
    return *this;
  }
  std::string members_;
};

}  // namespace postroom::cli
