#pragma once
// Structured log lines on standard error: one JSON object a line (or plain text for people). Thread-safe, one write(2) a line.
// Why not a library: it is one page, carries fields instead of formatted prose, allocates nothing that lives, and starts no thread.

#include <initializer_list>
#include <string>
#include <string_view>

namespace postroom::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

// A field's value is text; numbers are formatted by the caller. Values are cut at 4 KiB; control bytes are escaped.
struct Field {
  std::string_view name;
  std::string value;
};

// Once, at start. `service` is the process's name (api, ledger, jira …).
void configure(std::string service, Level least, Format format);

// `event` is a short constant phrase ("ticket opened"); what varies goes into fields. Name the correlation id `correlation_id`.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::debug, event, fields); }
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::info, event, fields); }
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::warning, event, fields); }
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::error, event, fields); }

}  // namespace postroom::log
