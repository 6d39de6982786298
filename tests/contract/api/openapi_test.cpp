// The route table and schemas/openapi.json say the same.

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "api/json_view.hpp"
#include "api/openapi.hpp"
#include "api/routes.hpp"
#include "common/base/text.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

Json document() {
  // Deeper than any body may be is nothing to be proud of, but it is our own file.
  static const auto parsed = JsonDocument::parse(openapi_document());
  if (!parsed) FAIL(parsed.error().text());
  return parsed->root();
}

Json operation_of(const Route& route) { return document()["paths"][route.path][to_lower_ascii(name_of(route.verb))]; }

Json resolved(Json node) {
  if (!node["$ref"]) return node;
  Json at = document();
  const auto parts = split(node["$ref"].string(), '/');
  for (std::size_t n = 1; n < parts.size(); ++n) at = at[parts[n]];
  return at;
}

}  // namespace

TEST_CASE("every route is in the document, with its permission, body, parameters and security") {
  for (const auto& route : routes()) {
    CAPTURE(name_of(route));
    const Json operation = operation_of(route);
    REQUIRE(operation);
    CHECK(operation["x-permission"].string() == route.permission);
    const auto schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].string();
    CHECK(schema == (route.schema.empty() ? std::string{} : std::string{"#/components/schemas/"}.append(route.schema)));
    CHECK(operation["requestBody"]["required"].flag().value_or(false) == (route.body == BodyUse::required));
    std::string query;
    bool has_id = false;
    for (std::size_t n = 0; n < operation["parameters"].size(); ++n) {
      const Json parameter = resolved(operation["parameters"].at(n));
      REQUIRE(parameter["name"]);
      if (parameter["in"].string() == "query") query.append(query.empty() ? "" : ",").append(parameter["name"].string());
      has_id = has_id || parameter["in"].string() == "path";
    }
    CHECK(query == route.parameters);
    CHECK(has_id == (route.path.find("{id}") != std::string_view::npos));
    const auto ways = operation["security"].size();
    CHECK(ways == (route.access == Access::token ? 1u : route.access == Access::public_board ? 2u : 0u));
  }
}

TEST_CASE("every operation of the document is a route") {
  std::set<std::string> known;
  for (const auto& route : routes()) known.insert(name_of(route));
  std::size_t count = 0;
  for (const auto& [path, verbs] : document()["paths"].members()) {
    for (const auto& [verb, operation] : verbs.members()) {
      std::string name;
      for (const char c : verb) name.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
      name.append(" ").append(path);
      CAPTURE(name);
      CHECK(known.contains(name));
      ++count;
    }
  }
  CHECK(count == known.size());
}

TEST_CASE("every reference leads somewhere and every operation has an answer and a unique name") {
  std::set<std::string> names;
  for (const auto& [path, verbs] : document()["paths"].members()) {
    for (const auto& [verb, operation] : verbs.members()) {
      CAPTURE(operation["operationId"].string());
      CHECK(names.insert(std::string{operation["operationId"].string()}).second);
      CHECK(operation["summary"].string().size() > 3);
      CHECK(operation["responses"].size() >= 1);
      for (const auto& [status, response] : operation["responses"].members()) CHECK(resolved(response)["description"]);
    }
  }
}

TEST_CASE("every object that is sent to us refuses unknown members") {
  for (const auto& route : routes()) {
    if (route.schema.empty()) continue;
    CAPTURE(route.schema);
    CHECK(document()["components"]["schemas"][route.schema]["additionalProperties"].flag() == false);
  }
}
