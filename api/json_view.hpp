#pragma once
// Reading JSON without seeing Boost.JSON: a document that owns, and views that may be absent. What has the wrong type reads as absent;
// the schemas have judged types before a handler looks.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"

namespace boost::json {
class value;
}

namespace postroom::api {

class Json {
 public:
  Json() = default;
  explicit Json(const boost::json::value* node) : node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }  // present, be it null
  bool is_null() const;
  bool is_object() const;
  bool is_array() const;

  Json operator[](std::string_view member) const;
  Json at(std::size_t index) const;
  std::size_t size() const;  // of an array or object, else 0
  std::vector<std::pair<std::string_view, Json>> members() const;

  std::optional<std::string> text() const;
  std::string_view string() const;  // empty when absent or not a string
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<bool> flag() const;
  std::string dump() const;  // as JSON text; "null" when absent
  const boost::json::value* node() const { return node_; }

 private:
  const boost::json::value* node_ = nullptr;
};

class JsonDocument {
 public:
  // Strict (common/codec/json.hpp), and no NUL in any string: neither the store nor the far sides carry it. `where` is a byte offset, or
  // the pointer of the string with the NUL.
  static Result<JsonDocument> parse(std::string_view text);

  JsonDocument();
  ~JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;

  Json root() const { return Json{root_.get()}; }

 private:
  std::unique_ptr<boost::json::value> root_;
};

}  // namespace postroom::api
