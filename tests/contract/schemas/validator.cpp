#include "tests/contract/schemas/validator.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace postroom::contract {

struct Validator::Parts {
  boost::json::value text;  // the schema borrows from it
  valijson::Schema schema;
};

Validator::Validator(const std::string& schema) : parts_(std::make_unique<Parts>()) {
  parts_->text = boost::json::parse(schema);
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(parts_->text), parts_->schema);
}

Validator::~Validator() = default;

std::string Validator::findings(const std::string& document) const {
  const auto parsed = boost::json::parse(document);
  valijson::Validator judge;
  valijson::ValidationResults results;
  if (judge.validate(parts_->schema, valijson::adapters::BoostJsonAdapter(parsed), &results)) return {};
  std::string out = "invalid";
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    out += "\n";
    for (const auto& step : error.context) out += step;
    out += ": " + error.description;
  }
  return out;
}

}  // namespace postroom::contract
