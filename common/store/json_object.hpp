#pragma once
// Writing JSON text by hand: what the views of this folder are made of.

#include <fmt/format.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/text.hpp"
#include "common/messages/describe.hpp"

namespace postroom::store::views {

// One JSON object, member by member.
class Object {
 public:
  Object& text(std::string_view name, std::string_view value) { return raw(name, fmt::format("\"{}\"", json_escaped(value))); }
  Object& text(std::string_view name, const std::same_as<std::optional<std::string>> auto& value) { return value ? text(name, std::string_view{*value}) : raw(name, "null"); }
  Object& number(std::string_view name, std::int64_t value) { return raw(name, fmt::format("{}", value)); }
  Object& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  Object& time(std::string_view name, std::int64_t micros) {
    return micros == 0 ? raw(name, "null") : text(name, to_rfc3339(from_micros(micros)));
  }
  template <class E>
  Object& name_of(std::string_view name, E value) {
    return text(name, messages::name_of(value));
  }
  Object& raw(std::string_view name, std::string_view json) {
    out_ += out_.size() == 1 ? "\"" : ",\"";
    out_ += name;
    out_ += "\":";
    out_ += json.empty() ? "null" : json;
    return *this;
  }
  std::string done() const { return out_ + "}"; }

 private:
  std::string out_ = "{";
};

template <class T, class F>
std::string array_of(const std::vector<T>& values, F&& json) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ",";
    out += json(value);
  }
  return out + "]";
}

}  // namespace postroom::store::views
