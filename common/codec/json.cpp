#include "common/codec/json.hpp"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "common/codec/codec.hpp"

namespace postroom::codec {

namespace json = boost::json;

namespace {

// Boost.JSON 1.81 keeps the last of two equal keys and turns 1e400 into infinity: both are refused here.
// Equal keys are seen by counting: the parser hands over every key, the value holds the distinct ones.
struct MemberCounter {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  std::size_t keys = 0;
  using Code = json::error_code&;
  bool on_document_begin(Code) { return true; }
  bool on_document_end(Code) { return true; }
  bool on_object_begin(Code) { return true; }
  bool on_object_end(std::size_t, Code) { return true; }
  bool on_array_begin(Code) { return true; }
  bool on_array_end(std::size_t, Code) { return true; }
  bool on_key_part(json::string_view, std::size_t, Code) { return true; }
  bool on_key(json::string_view, std::size_t, Code) {
    ++keys;
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, Code) { return true; }
  bool on_string(json::string_view, std::size_t, Code) { return true; }
  bool on_number_part(json::string_view, Code) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Code) { return true; }
  bool on_double(double, json::string_view, Code) { return true; }
  bool on_bool(bool, Code) { return true; }
  bool on_null(Code) { return true; }
  bool on_comment_part(json::string_view, Code) { return true; }
  bool on_comment(json::string_view, Code) { return true; }
};

struct Count {
  std::size_t members = 0;
  bool all_finite = true;
};

void count(const json::value& value, Count& into) {
  if (const auto* object = value.if_object()) {
    into.members += object->size();
    for (const auto& member : *object) count(member.value(), into);
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) count(element, into);
  } else if (const auto* number = value.if_double()) {
    into.all_finite = into.all_finite && std::isfinite(*number);
  }
}

}  // namespace

Result<json::value> parse(std::string_view text, json::storage_ptr storage, std::size_t longest) {
  if (text.size() > longest) {
    return Error{Code::bad_message, fmt::format("the JSON text has {} bytes; at most {} are allowed", text.size(), longest)};
  }
  json::parse_options options;
  options.max_depth = deepest_nesting;
  json::parser parser{storage, options};
  json::error_code failed;
  const std::size_t consumed = parser.write(text.data(), text.size(), failed);
  if (failed) {
    return Error{Code::bad_message, fmt::format("not valid JSON: {}", failed.message()), fmt::format("byte {}", consumed)};
  }
  json::value value = parser.release();
  Count counted;
  count(value, counted);
  if (!counted.all_finite) return Error{Code::bad_message, "a number is too large"};
  json::basic_parser<MemberCounter> counter{options};
  counter.write_some(false, text.data(), text.size(), failed);
  if (counter.handler().keys != counted.members) return Error{Code::bad_message, "an object names the same member twice"};
  return value;
}

std::string pointer_to(std::string_view parent, std::string_view member) {
  std::string pointer{parent};
  pointer.push_back('/');
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer.push_back(c);
    }
  }
  return pointer;
}

Result<std::string> normalised_json(std::string_view text) {
  auto value = parse(text);
  if (!value) return value.error();
  return json::serialize(*value);
}

}  // namespace postroom::codec
