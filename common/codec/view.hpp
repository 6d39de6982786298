#pragma once
// Reading and writing foreign JSON (the answers of Jira and Trello) without a schema. Reading is total: what is missing or of another type is
// an empty view, so that a decoder says what it needs and never crashes on what it got.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace postroom::codec {

class JsonView {
 public:
  JsonView() = default;  // empty

  // Strict as common/codec/json.hpp, but up to `longest` bytes. The view keeps the document alive.
  static Result<JsonView> parse(std::string_view text, std::size_t longest = 8 << 20);

  bool exists() const { return value_ != nullptr; }  // null exists
  bool is_object() const;
  bool is_array() const;
  std::size_t size() const;                       // of an array or object; else 0
  JsonView operator[](std::string_view name) const;  // of an object; else empty
  JsonView operator[](std::size_t index) const;      // of an array; else empty
  std::string_view text() const;                  // of a string; else ""
  std::optional<std::int64_t> integer() const;
  bool is_true() const;
  std::vector<std::string> names() const;         // of an object, in its order
  // A string as it is, a number in digits: ids that are documented as one and come as the other.
  std::string text_or_digits() const;

 private:
  struct Document;
  JsonView(std::shared_ptr<const Document> document, const void* value) : document_(std::move(document)), value_(value) {}
  std::shared_ptr<const Document> document_;
  const void* value_ = nullptr;
};

// Writes one JSON text, in the order of the calls. Commas come by themselves; balance and member names are the caller's.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& member(std::string_view name);  // the next value is its
  JsonWriter& text(std::string_view value);   // invalid UTF-8 becomes U+FFFD
  JsonWriter& integer(std::int64_t value);
  JsonWriter& flag(bool value);
  JsonWriter& raw(std::string_view json);     // one valid JSON value
  JsonWriter& text_member(std::string_view name, std::string_view value) { return member(name).text(value); }

  const std::string& so_far() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void separate();
  std::string out_;
};

}  // namespace postroom::codec
