#include "api/server/body_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <map>
#include <set>
#include <stdexcept>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

#include "api/formats.hpp"
#include "api/routes.hpp"
#include "common/codec/json.hpp"

namespace postroom::api {

namespace json = boost::json;

namespace {

constexpr std::size_t most_flaws = 20;

// What valijson 1.0 enforces fully and quickly, and what only describes.
const std::set<std::string_view> enforced_keywords{"type",      "properties", "required",  "additionalProperties", "enum",     "const",    "minimum",
                                                   "maximum",   "minLength",  "maxLength", "items",                "minItems", "maxItems", "minProperties",
                                                   "maxProperties", "$ref", "format"};
const std::set<std::string_view> describing_keywords{"title", "description", "default", "examples", "writeOnly", "readOnly"};

std::string_view view_of(json::string_view text) { return std::string_view{text.data(), text.size()}; }

// A place with a format: the names on the way; "*" stands for every element of an array.
struct FormatPlace {
  std::vector<std::string> way;
  std::string format;
};

// A string with limits of its length, in code points; the way as above.
struct LengthPlace {
  std::vector<std::string> way;
  std::size_t least = 0;
  std::size_t most = SIZE_MAX;
};

// Walks a schema of ours: refuses keywords that would not be enforced, and notes formats and lengths.
class Survey {
 public:
  Survey(const json::object& components, std::string_view component) : components_(components), component_(component) {}

  void walk(const json::object& schema) {
    for (const auto& member : schema) {
      const auto keyword = view_of(member.key());
      if (!enforced_keywords.contains(keyword) && !describing_keywords.contains(keyword)) refuse(fmt::format("uses the keyword {}", keyword));
    }
    if (const auto* reference = schema.if_contains("$ref")) {
      if (schema.size() != 1) refuse("has siblings of $ref, which are ignored");
      return walk(referenced(view_of(reference->as_string())));
    }
    if (const auto* format = schema.if_contains("format")) note(view_of(format->as_string()));
    const auto* least = schema.if_contains("minLength");
    const auto* most = schema.if_contains("maxLength");
    if (least != nullptr || most != nullptr) {
      lengths.push_back(LengthPlace{way_, least == nullptr ? 0 : least->to_number<std::size_t>(), most == nullptr ? SIZE_MAX : most->to_number<std::size_t>()});
    }
    if (const auto* properties = schema.if_contains("properties")) {
      for (const auto& property : properties->as_object()) descend(std::string{view_of(property.key())}, property.value());
    }
    if (const auto* items = schema.if_contains("items")) descend("*", *items);
  }

  std::vector<FormatPlace> places;
  std::vector<LengthPlace> lengths;

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw std::runtime_error{fmt::format("openapi.json: the schema {} {}; see the white list in body_check.cpp", component_, what)};
  }

  void note(std::string_view format) {
    if (!is_known_format(format)) refuse(fmt::format("names the unknown format {}", format));
    places.push_back(FormatPlace{way_, std::string{format}});
  }

  void descend(std::string name, const json::value& schema) {
    way_.push_back(std::move(name));
    walk(schema.as_object());
    way_.pop_back();
  }

  const json::object& referenced(std::string_view reference) const {
    constexpr std::string_view prefix = "#/components/schemas/";
    const auto* found = reference.starts_with(prefix) ? components_.if_contains(reference.substr(prefix.size())) : nullptr;
    if (found == nullptr) refuse(fmt::format("refers to {}, which is not there", reference));
    return found->as_object();
  }

  const json::object& components_;
  std::string_view component_;
  std::vector<std::string> way_;
};

// "<root>[target][connection_id]" → "/target/connection_id". Names of ours contain no brackets; callers' may, and then the pointer is cut.
std::string pointer_from(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::size_t at = 1; at < context.size(); ++at) {
    std::string_view part = context[at];
    if (part.starts_with('[') && part.ends_with(']')) part = part.substr(1, part.size() - 2);
    pointer = codec::pointer_to(pointer, part);
  }
  return pointer;
}

std::string_view between_quotes(std::string_view text) {
  const auto last = text.rfind('\'');
  const auto first = text.find('\'', text.find("constraints:") == std::string_view::npos ? 0 : text.find("constraints:"));
  return first >= last ? std::string_view{} : text.substr(first + 1, last - first - 1);
}

// valijson's words as ours; none for those that only repeat what a deeper one says.
std::optional<Flaw> flaw_from(const std::vector<std::string>& context, std::string_view words) {
  if (words.starts_with("Failed to validate")) return std::nullopt;
  const std::string pointer = pointer_from(context);
  if (words.starts_with("Object contains a property")) return in_body(codec::pointer_to(pointer, between_quotes(words)), "is not a member that is known here");
  if (words.starts_with("Missing required")) return in_body(codec::pointer_to(pointer, between_quotes(words)), "is missing");
  if (words.starts_with("Value type")) return in_body(pointer, "has the wrong type");
  if (words.starts_with("Failed to match")) return in_body(pointer, "is not one of the values that are allowed");
  return in_body(pointer, std::string{words});
}

void judge_formats(Json value, const FormatPlace& place, std::size_t depth, const std::string& pointer, std::vector<Flaw>& flaws) {
  if (!value || flaws.size() >= most_flaws) return;
  if (depth == place.way.size()) {
    const auto wrong = value.is_null() ? std::nullopt : complaint(place.format, value.string());
    if (wrong) flaws.push_back(in_body(pointer, std::string{*wrong}));
    return;
  }
  const std::string& name = place.way[depth];
  if (name != "*") return judge_formats(value[name], place, depth + 1, codec::pointer_to(pointer, name), flaws);
  for (std::size_t index = 0; index < value.size(); ++index) {
    judge_formats(value.at(index), place, depth + 1, codec::pointer_to(pointer, std::to_string(index)), flaws);
  }
}

// Without counting where the number of bytes decides: a code point has one to four.
bool has_length(std::string_view text, const LengthPlace& place) {
  if (text.size() <= place.most && (text.size() + 3) / 4 >= place.least) return true;
  const auto points = static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  return points >= place.least && points <= place.most;
}

bool fits_length(Json value, const LengthPlace& place, std::size_t depth) {
  if (!value) return true;
  if (depth == place.way.size()) return !value.node()->is_string() || has_length(value.string(), place);
  if (const std::string& name = place.way[depth]; name != "*") return fits_length(value[name], place, depth + 1);
  for (std::size_t index = 0; index < value.size(); ++index) {
    if (!fits_length(value.at(index), place, depth + 1)) return false;
  }
  return true;
}

// Takes the keywords out, at every depth. A member of a body that is called so would have a schema, not a number.
void remove_lengths(json::value& schema) {
  if (auto* elements = schema.if_array()) {
    for (auto& element : *elements) remove_lengths(element);
  }
  auto* object = schema.if_object();
  if (object == nullptr) return;
  for (const std::string_view keyword : {"minLength", "maxLength"}) {
    const auto* limit = object->if_contains(keyword);
    if (limit != nullptr && limit->is_number()) object->erase(keyword);
  }
  for (auto& member : *object) remove_lengths(member.value());
}

void populate(valijson::Schema& schema, std::string_view component, const json::value& schemas) {
  const json::value wrapped = json::object{{"$ref", fmt::format("#/components/schemas/{}", component)}, {"components", json::object{{"schemas", schemas}}}};
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::BoostJsonAdapter{wrapped}, schema);
}

}  // namespace

struct BodyCheck::Parts {
  struct Prepared {
    valijson::Schema schema;
    valijson::Schema quick;  // the same without lengths, which valijson counts slowly: a tenth of what a ticket post costs
    std::vector<LengthPlace> lengths;
    std::vector<FormatPlace> formats;
  };
  std::map<std::string, std::unique_ptr<Prepared>, std::less<>> prepared;
};

BodyCheck::BodyCheck(std::string_view openapi_document) : parts_(std::make_unique<Parts>()) {
  const json::value document = json::parse(json::string_view{openapi_document.data(), openapi_document.size()});
  const json::object& components = document.as_object().at("components").as_object();
  const json::object& schemas = components.at("schemas").as_object();
  json::value quick_schemas = schemas;
  remove_lengths(quick_schemas);
  for (const auto& route : routes()) {
    if (route.schema.empty() || parts_->prepared.contains(route.schema)) continue;
    const auto* component = schemas.if_contains(route.schema);
    if (component == nullptr) throw std::runtime_error{fmt::format("openapi.json has no component schema {}", route.schema)};
    auto prepared = std::make_unique<Parts::Prepared>();
    Survey survey{schemas, route.schema};
    survey.walk(component->as_object());
    prepared->formats = std::move(survey.places);
    prepared->lengths = std::move(survey.lengths);
    populate(prepared->schema, route.schema, schemas);
    populate(prepared->quick, route.schema, quick_schemas);
    parts_->prepared.emplace(route.schema, std::move(prepared));
  }
}

BodyCheck::~BodyCheck() = default;

std::vector<Flaw> BodyCheck::judge(std::string_view component, Json body) const {
  const auto found = parts_->prepared.find(component);
  if (found == parts_->prepared.end() || !body) return {in_body("", "is missing")};
  const auto& prepared = *found->second;
  const valijson::adapters::BoostJsonAdapter adapter{*body.node()};
  valijson::Validator validator;
  std::vector<Flaw> flaws;
  const bool fits = std::ranges::all_of(prepared.lengths, [&](const LengthPlace& place) { return fits_length(body, place, 0); }) &&
                    validator.validate(prepared.quick, adapter, nullptr);
  if (!fits) {
    // Only now are words needed.
    valijson::ValidationResults results;
    validator.validate(prepared.schema, adapter, &results);
    for (const auto& error : results) {
      if (flaws.size() >= most_flaws) break;
      if (auto flaw = flaw_from(error.context, error.description)) flaws.push_back(std::move(*flaw));
    }
    if (flaws.empty()) flaws.push_back(in_body("", "does not fit the schema"));
    return flaws;
  }
  for (const auto& place : prepared.formats) judge_formats(body, place, 0, "", flaws);
  return flaws;
}

}  // namespace postroom::api
