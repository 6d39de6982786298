#include "api/json_view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "common/codec/json.hpp"

namespace postroom::api {

namespace json = boost::json;

namespace {

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// The pointer of the first string or name with a NUL in it.
std::optional<std::string> find_nul(const json::value& value, const std::string& where) {
  if (const auto* text = value.if_string()) {
    if (has_nul(std::string_view{text->data(), text->size()})) return where;
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      const std::string_view name{member.key().data(), member.key().size()};
      if (has_nul(name)) return where;
      if (auto found = find_nul(member.value(), codec::pointer_to(where, name))) return found;
    }
  } else if (const auto* array = value.if_array()) {
    std::size_t index = 0;
    for (const auto& element : *array) {
      if (auto found = find_nul(element, codec::pointer_to(where, std::to_string(index++)))) return found;
    }
  }
  return std::nullopt;
}

}  // namespace

bool Json::is_null() const { return node_ != nullptr && node_->is_null(); }
bool Json::is_object() const { return node_ != nullptr && node_->is_object(); }
bool Json::is_array() const { return node_ != nullptr && node_->is_array(); }

Json Json::operator[](std::string_view member) const {
  const auto* object = node_ == nullptr ? nullptr : node_->if_object();
  return Json{object == nullptr ? nullptr : object->if_contains(json::string_view{member.data(), member.size()})};
}

Json Json::at(std::size_t index) const {
  const auto* array = node_ == nullptr ? nullptr : node_->if_array();
  return Json{array == nullptr ? nullptr : array->if_contains(index)};
}

std::size_t Json::size() const {
  if (node_ == nullptr) return 0;
  if (const auto* array = node_->if_array()) return array->size();
  const auto* object = node_->if_object();
  return object == nullptr ? 0 : object->size();
}

std::vector<std::pair<std::string_view, Json>> Json::members() const {
  std::vector<std::pair<std::string_view, Json>> all;
  const auto* object = node_ == nullptr ? nullptr : node_->if_object();
  if (object == nullptr) return all;
  all.reserve(object->size());
  for (const auto& member : *object) {
    all.emplace_back(std::string_view{member.key().data(), member.key().size()}, Json{&member.value()});
  }
  return all;
}

std::optional<std::string> Json::text() const {
  const auto* found = node_ == nullptr ? nullptr : node_->if_string();
  if (found == nullptr) return std::nullopt;
  return std::string{found->data(), found->size()};
}

std::string_view Json::string() const {
  const auto* found = node_ == nullptr ? nullptr : node_->if_string();
  return found == nullptr ? std::string_view{} : std::string_view{found->data(), found->size()};
}

std::optional<std::int64_t> Json::integer() const {
  const auto* found = node_ == nullptr ? nullptr : node_->if_int64();
  return found == nullptr ? std::nullopt : std::optional{*found};
}

std::optional<double> Json::number() const {
  if (const auto whole = integer()) return static_cast<double>(*whole);
  const auto* found = node_ == nullptr ? nullptr : node_->if_double();
  return found == nullptr ? std::nullopt : std::optional{*found};
}

std::optional<bool> Json::flag() const {
  const auto* found = node_ == nullptr ? nullptr : node_->if_bool();
  return found == nullptr ? std::nullopt : std::optional{*found};
}

std::string Json::dump() const { return node_ == nullptr ? "null" : json::serialize(*node_); }

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
  auto value = codec::parse(text);
  if (!value) return value.error();
  JsonDocument document;
  document.root_ = std::make_unique<json::value>(std::move(*value));
  // A NUL can only come in as an escape: most texts need no second walk.
  if (text.find("\\u0000") != std::string_view::npos) {
    if (auto where = find_nul(*document.root_, "")) return Error{Code::bad_message, "must not contain U+0000", std::move(*where)};
  }
  return document;
}

JsonDocument::JsonDocument() = default;
JsonDocument::~JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;

}  // namespace postroom::api
