#include "common/base/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "common/base/clock.hpp"
#include "common/base/text.hpp"

namespace postroom::log {

namespace {

constexpr std::size_t longest_value = 4096;
std::string service_name = "postroom";
std::atomic<Level> least_level{Level::info};
std::atomic<Format> line_format{Format::json};

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "error";
}

}  // namespace

void configure(std::string service, Level least, Format format) {
  service_name = std::move(service);
  least_level = least;
  line_format = format;
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  std::string line;
  const std::string at = to_rfc3339(SystemClock{}.wall());
  if (line_format.load(std::memory_order_relaxed) == Format::json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","service":"{}","event":"{}")", at, name_of(level), service_name, json_escaped(event));
    for (const auto& field : fields) {
      const std::string_view value = std::string_view{field.value}.substr(0, longest_value);
      line += fmt::format(R"(,"{}":"{}")", field.name, json_escaped(value));
    }
    line += "}\n";
  } else {
    line = fmt::format("{} {:7} {}: {}", at.substr(11, 12), name_of(level), service_name, event);
    for (const auto& field : fields) {
      const std::string_view value = std::string_view{field.value}.substr(0, longest_value);
      line += fmt::format(" {}={}", field.name, json_escaped(value));
    }
    line += "\n";
  }
  // A full disk or a closed pipe must not stop the work: the line is dropped.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace postroom::log
