#include "common/metrics/metrics.hpp"

#include <doctest/doctest.h>

using namespace postroom;

namespace {

bool has_line(const std::string& text, const std::string& line) { return ("\n" + text).find("\n" + line + "\n") != std::string::npos; }

}  // namespace

TEST_CASE("the same name and labels are the same counter") {
  metrics::counter("published", {{"exchange", "cmd"}}).add(2);
  metrics::counter("published", {{"exchange", "cmd"}}).add();
  metrics::counter("published", {{"exchange", "wo\"rk\\\n"}}).add();
  const auto text = metrics::render();
  CHECK(has_line(text, "postroom_published_total{exchange=\"cmd\"} 3"));
  CHECK(has_line(text, R"(postroom_published_total{exchange="wo\"rk\\\n"} 1)"));
  CHECK(text.find("# TYPE postroom_published counter") == text.rfind("# TYPE postroom_published counter"));
}

TEST_CASE("a histogram's buckets are cumulative and its count covers what is above the last bound") {
  auto& took = metrics::histogram("took_seconds");
  took.observe(0.0005);
  took.observe(0.003);
  took.observe(1000);
  took.observe(-1);
  const auto text = metrics::render();
  CHECK(has_line(text, "postroom_took_seconds_bucket{le=\"0.0005\"} 2"));
  CHECK(has_line(text, "postroom_took_seconds_bucket{le=\"0.005\"} 3"));
  CHECK(has_line(text, "postroom_took_seconds_bucket{le=\"60\"} 3"));
  CHECK(has_line(text, "postroom_took_seconds_bucket{le=\"+Inf\"} 4"));
  CHECK(has_line(text, "postroom_took_seconds_count 4"));
}

TEST_CASE("a gauge is read when it is printed, and the text ends as OpenMetrics wants") {
  double depth = 1;
  metrics::gauge("depth", [&] { return depth; });
  depth = 2.5;
  const auto text = metrics::render();
  CHECK(has_line(text, "postroom_depth 2.5"));
  CHECK(text.ends_with("# EOF\n"));
  metrics::gauge("depth", [] { return 0.0; });
}
