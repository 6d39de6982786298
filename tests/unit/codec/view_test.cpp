#include <doctest/doctest.h>

#include "common/codec/view.hpp"

using namespace postroom::codec;

TEST_CASE("a view reads what is there and is empty where nothing fits") {
  const auto parsed = JsonView::parse(R"({"id":10000,"key":"SUP-1","fields":{"labels":["a","b"],"gone":null},"ok":true})");
  REQUIRE(parsed.ok());
  const JsonView root = *parsed;
  CHECK(root.is_object());
  CHECK(root.size() == 4);
  CHECK(root["key"].text() == "SUP-1");
  CHECK(root["id"].integer() == 10000);
  CHECK(root["id"].text_or_digits() == "10000");
  CHECK(root["key"].text_or_digits() == "SUP-1");
  CHECK(root["fields"]["labels"].is_array());
  CHECK(root["fields"]["labels"][1].text() == "b");
  CHECK_FALSE(root["fields"]["labels"][2].exists());
  CHECK(root["fields"]["gone"].exists());
  CHECK(root["ok"].is_true());
  CHECK_FALSE(root["key"].is_true());
  CHECK(root["fields"].names() == std::vector<std::string>{"labels", "gone"});
  CHECK_FALSE(root["a"]["b"][3]["c"].exists());
  CHECK(root["key"]["x"].text().empty());
  CHECK_FALSE(root["key"].integer());
}

TEST_CASE("a view outlives the variable that it was parsed into") {
  JsonView inner;
  {
    const auto parsed = JsonView::parse(R"({"a":{"b":"c"}})");
    inner = (*parsed)["a"];
  }
  CHECK(inner["b"].text() == "c");
}

TEST_CASE("HTML, half a text and too deep a text are errors") {
  CHECK_FALSE(JsonView::parse("<html>").ok());
  CHECK_FALSE(JsonView::parse(R"({"id":)").ok());
  CHECK_FALSE(JsonView::parse("").ok());
  CHECK_FALSE(JsonView::parse(std::string(40, '[') + std::string(40, ']')).ok());
  CHECK_FALSE(JsonView::parse(R"([1,2,3])", 4).ok());
}

TEST_CASE("the writer puts commas, escapes and nothing else") {
  JsonWriter writer;
  writer.begin_object().text_member("a", "x\"\n").member("list").begin_array().integer(1).flag(true).raw("null").begin_object().end_object();
  writer.end_array().member("empty").begin_array().end_array().text_member("b", "ends with :").text_member("c", "").end_object();
  CHECK(writer.take() == R"({"a":"x\"\n","list":[1,true,null,{}],"empty":[],"b":"ends with :","c":""})");
}
