#include "common/codec/view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "common/base/text.hpp"
#include "common/codec/json.hpp"

namespace postroom::codec {

namespace json = boost::json;

struct JsonView::Document {
  json::value root;
};

namespace {
const json::value& as_value(const void* pointer) { return *static_cast<const json::value*>(pointer); }
}  // namespace

Result<JsonView> JsonView::parse(std::string_view text, std::size_t longest) {
  auto root = codec::parse(text, {}, longest);
  if (!root) return root.error();
  auto document = std::make_shared<const Document>(Document{std::move(*root)});
  const void* value = &document->root;
  return JsonView{std::move(document), value};
}

bool JsonView::is_object() const { return exists() && as_value(value_).is_object(); }
bool JsonView::is_array() const { return exists() && as_value(value_).is_array(); }

std::size_t JsonView::size() const {
  if (is_object()) return as_value(value_).get_object().size();
  return is_array() ? as_value(value_).get_array().size() : 0;
}

JsonView JsonView::operator[](std::string_view name) const {
  if (!is_object()) return {};
  const auto* found = as_value(value_).get_object().if_contains(name);
  return found == nullptr ? JsonView{} : JsonView{document_, found};
}

JsonView JsonView::operator[](std::size_t index) const {
  if (!is_array() || index >= size()) return {};
  return JsonView{document_, &as_value(value_).get_array()[index]};
}

std::string_view JsonView::text() const {
  const auto* text = exists() ? as_value(value_).if_string() : nullptr;
  return text == nullptr ? std::string_view{} : std::string_view{text->data(), text->size()};
}

std::optional<std::int64_t> JsonView::integer() const {
  const auto* number = exists() ? as_value(value_).if_int64() : nullptr;
  return number == nullptr ? std::nullopt : std::optional{*number};
}

bool JsonView::is_true() const {
  const auto* flag = exists() ? as_value(value_).if_bool() : nullptr;
  return flag != nullptr && *flag;
}

std::vector<std::string> JsonView::names() const {
  std::vector<std::string> all;
  if (!is_object()) return all;
  for (const auto& member : as_value(value_).get_object()) all.emplace_back(member.key());
  return all;
}

std::string JsonView::text_or_digits() const {
  if (const auto number = integer()) return std::to_string(*number);
  return std::string{text()};
}

void JsonWriter::separate() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':') out_.push_back(',');
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_.push_back('{');
  return *this;
}
JsonWriter& JsonWriter::end_object() {
  out_.push_back('}');
  return *this;
}
JsonWriter& JsonWriter::begin_array() {
  separate();
  out_.push_back('[');
  return *this;
}
JsonWriter& JsonWriter::end_array() {
  out_.push_back(']');
  return *this;
}
JsonWriter& JsonWriter::member(std::string_view name) {
  text(name);
  out_.push_back(':');
  return *this;
}
JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  out_.push_back('"');
  out_ += json_escaped(value);
  out_.push_back('"');
  return *this;
}
JsonWriter& JsonWriter::integer(std::int64_t value) { return raw(std::to_string(value)); }
JsonWriter& JsonWriter::flag(bool value) { return raw(value ? "true" : "false"); }
JsonWriter& JsonWriter::raw(std::string_view value) {
  separate();
  out_ += value;
  return *this;
}

}  // namespace postroom::codec
