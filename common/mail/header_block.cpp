#include "common/mail/header_block.hpp"

#include "common/base/text.hpp"

namespace postroom::mail {

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool begins_like_a_field(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto c = static_cast<unsigned char>(line[i]);
    if (c == ':') return i > 0;
    if (c == ' ' || c == '\t') {  // "Subject : x" is tolerated, "see below: x" is not
      const auto rest = line.find_first_not_of(" \t", i);
      return i > 0 && rest != std::string_view::npos && line[rest] == ':';
    }
    if (c < 0x21 || c > 0x7e) return false;
  }
  return false;
}

HeaderLine header_line(std::string_view line, std::string_view ahead) {
  if (line.empty()) return HeaderLine::end;
  if (line.front() == ' ' || line.front() == '\t') return HeaderLine::continuation;
  if (begins_like_a_field(line)) return HeaderLine::field;
  return begins_like_a_field(ahead.substr(0, ahead.find('\n'))) ? HeaderLine::continuation : HeaderLine::body;
}

HeaderBlock split_header_block(std::string_view text, std::size_t most_fields) {
  HeaderBlock block;
  if (!begins_like_a_field(text.substr(0, text.find('\n')))) return block;
  std::string_view rest = text;
  bool is_kept = false;
  while (!rest.empty()) {
    std::string_view ahead = rest;
    const std::string_view line = take_line(ahead);
    const HeaderLine kind = header_line(line, ahead);
    if (kind == HeaderLine::body) return block;
    rest = ahead;
    block.byte_count = text.size() - rest.size();
    if (kind == HeaderLine::end) return block;
    if (kind == HeaderLine::field) {
      is_kept = block.fields.size() < most_fields;
      if (is_kept) block.fields.push_back({trimmed(line.substr(0, line.find(':'))), line.substr(line.find(':') + 1)});
    } else if (is_kept) {
      RawField& field = block.fields.back();
      field.value = {field.value.data(), static_cast<std::size_t>(line.data() + line.size() - field.value.data())};
    }
  }
  return block;
}

std::string unfolded(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\r' || raw[i] == '\n') {
      while (i + 1 < raw.size() &&
             (raw[i + 1] == '\n' || raw[i + 1] == '\r' || raw[i + 1] == ' ' || raw[i + 1] == '\t'))
        ++i;
      out.push_back(' ');
    } else {
      out.push_back(raw[i]);
    }
  }
  return std::string{trimmed(out)};
}

}  // namespace postroom::mail
