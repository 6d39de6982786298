#include "common/mail/plain_text.hpp"

#include <cstdint>

#include "common/base/text.hpp"
#include "common/mail/header_block.hpp"

namespace postroom::mail {

namespace {

// Simple case folding of the two-byte letters that people search in.
std::uint32_t folded(std::uint32_t c) {
  if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
    return c + 0x20;
  if (c >= 0x400 && c <= 0x40f) return c + 0x50;
  const bool is_even_pair = (c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
                            (c >= 0x48a && c <= 0x4bf);
  if (is_even_pair && c != 0x130 && c != 0x131) return c | 1;
  const bool is_odd_pair = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
  if (is_odd_pair) return c + (c & 1);
  return c;
}

}  // namespace

std::string normalised_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {
      if (i + 1 >= text.size() || text[i + 1] != '\n') out.push_back('\n');
    } else if (c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) {
      out.push_back(c);
    }
  }
  const auto last = out.find_last_not_of(" \t\n");
  if (last == std::string::npos) return {};
  out.resize(last + 1);
  const auto first = out.find_first_not_of(" \t\n");
  const auto line = out.rfind('\n', first);  // keeps the indent of the first line
  if (line != std::string::npos) out.erase(0, line + 1);
  return out;
}

std::string unflowed(std::string_view text, bool deletes_space) {
  std::string out;
  out.reserve(text.size());
  std::size_t open_depth = 0;
  bool is_open = false;  // the last line was soft
  while (!text.empty()) {
    std::string_view line = take_line(text);
    std::size_t depth = 0;
    while (depth < line.size() && line[depth] == '>') ++depth;
    std::string_view content = line.substr(depth);
    if (!content.empty() && content.front() == ' ')
      content.remove_prefix(1);  // stuffed, or the blank after a quote mark
    const bool is_signature = content == "-- ";
    if (is_open && (depth != open_depth || is_signature)) {
      out.push_back('\n');
      is_open = false;
    }
    if (!is_open && depth > 0) out.append(depth, '>').push_back(' ');
    const bool is_soft = !content.empty() && content.back() == ' ' && !is_signature;
    if (is_soft && deletes_space) content.remove_suffix(1);
    out += content;
    if (!is_soft) out.push_back('\n');
    is_open = is_soft;
    open_depth = depth;
  }
  return out;
}

std::string folded_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first >= 'A' && first <= 'Z') {
      out.push_back(static_cast<char>(first + 0x20));
    } else if (first >= 0xc3 && first <= 0xd3 && i + 1 < text.size()) {
      const std::uint32_t c = folded((first & 0x1fU) << 6 | (static_cast<unsigned char>(text[i + 1]) & 0x3fU));
      out.push_back(static_cast<char>(0xc0 | c >> 6));
      out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string comparable(std::string_view text) {
  std::string out;
  for (const char c : folded_case(text)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_blank) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace postroom::mail
