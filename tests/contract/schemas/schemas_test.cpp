// Every message has a schema, and schema, codec, examples and topology say the same.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/messages/all.hpp"
#include "tests/contract/schemas/validator.hpp"

using namespace postroom;
namespace fs = std::filesystem;

namespace {

const fs::path folder = fs::path{POSTROOM_SOURCE_DIR} / "schemas" / "messages";

std::string content(const fs::path& path) {
  std::ifstream file{path};
  REQUIRE_MESSAGE(file.good(), path.string());
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<fs::path> files(const fs::path& in) {
  std::vector<fs::path> found;
  if (fs::exists(in)) {
    for (const auto& entry : fs::directory_iterator{in}) found.push_back(entry.path());
  }
  return found;
}

contract::Validator schema_of(std::string_view type) { return contract::Validator{content(folder / (std::string{type} + ".schema.json"))}; }

// Calls `each.template operator()<Message>()` for every type of AnyMessage.
template <class Each, class... Messages>
void for_each_message(std::variant<Messages...>*, Each each) {
  (each.template operator()<Messages>(), ...);
}

template <class Each>
void for_each_message(Each each) {
  for_each_message(static_cast<messages::AnyMessage*>(nullptr), each);
}

}  // namespace

TEST_CASE("valid examples satisfy the schema and the codec, and survive a round trip") {
  for_each_message([]<class Message>() {
    const auto schema = schema_of(Message::type);
    const auto examples = files(folder / "examples" / "valid" / Message::type);
    CAPTURE(Message::type);
    CHECK_FALSE(examples.empty());
    for (const auto& path : examples) {
      CAPTURE(path.string());
      const auto text = content(path);
      CHECK(schema.findings(text) == "");
      const auto decoded = codec::decode<Message>(text);
      CHECK_MESSAGE(decoded.ok(), (decoded.ok() ? "" : decoded.error().text()));
      if (!decoded.ok()) continue;
      const auto again = codec::encode(*decoded);
      CHECK(schema.findings(again) == "");
      CHECK(codec::decode<Message>(again).value() == *decoded);
    }
  });
}

TEST_CASE("invalid examples are refused by the schema and by the codec") {
  for_each_message([]<class Message>() {
    const auto schema = schema_of(Message::type);
    const auto examples = files(folder / "examples" / "invalid" / Message::type);
    CAPTURE(Message::type);
    CHECK_FALSE(examples.empty());
    for (const auto& path : examples) {
      CAPTURE(path.string());
      const auto text = content(path);
      CHECK(schema.findings(text) != "");
      const auto decoded = codec::decode<Message>(text);
      CHECK_FALSE(decoded.ok());
      if (!decoded.ok()) CHECK(decoded.error().where().starts_with("/"));
    }
  });
}

TEST_CASE("an example with every member names every member of the struct") {
  for_each_message([]<class Message>() {
    const auto in = folder / "examples" / "valid" / Message::type;
    const auto path = fs::exists(in / "all-members.json") ? in / "all-members.json" : in / "typical.json";
    CAPTURE(path.string());
    const auto text = content(path);
    Message message;
    Message::describe(message, [&](std::string_view name, auto&) {
      CAPTURE(name);
      CHECK(text.find("\"" + std::string{name} + "\":") != std::string::npos);
    });
    const auto schema = content(folder / (std::string{Message::type} + ".schema.json"));
    Message::describe(message, [&](std::string_view name, auto&) {
      CAPTURE(name);
      CHECK(schema.find("\"" + std::string{name} + "\":") != std::string::npos);
    });
  });
}

TEST_CASE("messages, schemas and routes are the same set") {
  std::set<std::string> types;
  for_each_message([&]<class Message>() { CHECK(types.insert(std::string{Message::type}).second); });
  std::set<std::string> routed;
  for (const auto& route : broker::routes()) CHECK(routed.insert(std::string{route.type}).second);
  std::set<std::string> described;
  const std::string ending = ".schema.json";
  for (const auto& path : files(folder)) {
    const auto name = path.filename().string();
    if (name.ends_with(ending)) described.insert(name.substr(0, name.size() - ending.size()));
  }
  CHECK(types == routed);
  CHECK(types == described);
  for (const char* kind : {"valid", "invalid"}) {
    std::set<std::string> shown;
    for (const auto& path : files(folder / "examples" / kind)) shown.insert(path.filename().string());
    CHECK(shown == types);
  }
}

TEST_CASE("the validator can refuse") {
  const contract::Validator schema{R"({"type":"object","required":["a"],"properties":{"a":{"$ref":"#/$defs/id"}},"$defs":{"id":{"type":"string","minLength":2}}})"};
  CHECK(schema.findings(R"({"a":"xx"})") == "");
  CHECK(schema.findings(R"({"a":"x"})") != "");
  CHECK(schema.findings(R"({"b":"xx"})") != "");
}
