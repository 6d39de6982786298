#include "common/imap/reader.hpp"

#include <fmt/format.h>

#include <limits>

#include "common/base/text.hpp"
#include "common/imap/uid_set.hpp"

namespace postroom::imap {

namespace {
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view word_ends = " ()\"{\r\n";
}  // namespace

bool Reader::fail(std::string what) {
  if (stop_ == Stop::none) {
    stop_ = Stop::malformed;
    what_ = std::move(what);
  }
  at_ = text_.size();
  return false;
}

bool Reader::at_end() const {
  return !ok() || text_.substr(at_) == line_end;
}

char Reader::peek() const {
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Reader::accept(char c) {
  if (peek() != c || at_ >= text_.size()) return false;
  ++at_;
  return true;
}

void Reader::expect(char c) {
  if (!accept(c)) fail(fmt::format("'{}' is missing", c));
}

void Reader::skip_spaces() {
  while (accept(' ')) {
  }
}

std::string_view Reader::word() {
  const std::size_t end = std::min(text_.find_first_of(word_ends, at_), text_.size());
  const std::string_view word = text_.substr(at_, end - at_);
  at_ = end;
  return word;
}

std::string_view Reader::atom() {
  const std::string_view found = word();
  if (found.empty()) fail("a word is missing");
  return found;
}

std::string_view Reader::until(char end) {
  const std::size_t found = text_.find(end, at_);
  if (found == std::string_view::npos || found > text_.find(line_end, at_)) {
    fail(fmt::format("'{}' is missing", end));
    return {};
  }
  const std::string_view text = text_.substr(at_, found - at_);
  at_ = found;
  return text;
}

std::string_view Reader::rest() {
  if (!ok()) return {};
  const std::string_view text = text_.substr(at_, text_.size() - line_end.size() - at_);
  at_ += text.size();
  return text;
}

std::uint64_t Reader::number(std::uint64_t highest) {
  const auto found = parse_number(word(), highest);
  if (!found) fail("a number is missing or out of range");
  return found.value_or(0);
}

std::uint32_t Reader::number32(bool may_be_zero) {
  const auto found = static_cast<std::uint32_t>(number(std::numeric_limits<std::uint32_t>::max()));
  if (found == 0 && !may_be_zero) fail("a number is zero that may not be");
  return found;
}

std::string Reader::quoted() {
  std::string out;
  expect('"');
  while (ok()) {
    const char c = peek();
    if (c == '\0' || c == '\r' || c == '\n') {
      fail("a quoted string has no end");
      break;
    }
    ++at_;
    if (c == '"') return out;
    if (c != '\\') {
      out += c;
      continue;
    }
    const char escaped = peek();
    if (escaped != '"' && escaped != '\\') {
      fail("a quoted string escapes what needs no escape");
      break;
    }
    out += escaped;
    ++at_;
  }
  return out;
}

Reader::String Reader::literal() {
  String out{.is_literal = true};
  expect('{');
  const auto byte_count = parse_number(until('}'), std::numeric_limits<std::int64_t>::max());
  expect('}');
  if (!byte_count || !text_.substr(std::min(at_, text_.size())).starts_with(line_end)) {
    fail("a literal announces no sensible size");
    return out;
  }
  at_ += line_end.size();
  if (next_literal_ == literals_.size()) {
    stop_ = Stop::literal_wanted;
    wanted_bytes_ = *byte_count;
    at_ = text_.size();
    return out;
  }
  const Literal& received = literals_[next_literal_++];
  out.is_streamed = received.is_streamed;
  out.byte_count = received.byte_count;
  out.bytes = received.bytes;
  return out;
}

Reader::String Reader::nstring() {
  if (peek() == '"') {
    String out;
    out.bytes = quoted();
    out.byte_count = out.bytes.size();
    return out;
  }
  if (peek() == '~') ++at_;  // literal8 (RFC 3516): the same, for bytes that may be NUL
  if (peek() == '{') return literal();
  if (to_lower_ascii(word()) != "nil") fail("a string is missing");
  return String{.is_nil = true};
}

std::string Reader::astring() {
  if (peek() == '"' || peek() == '{') return nstring().bytes;
  return std::string{atom()};
}

void Reader::skip_value() {
  std::size_t depth = 0;
  do {
    skip_spaces();
    if (accept('(')) {
      if (++depth > limits_.depth) fail("parentheses are nested too deeply");
    } else if (accept(')')) {
      if (depth == 0) {
        fail("a value is missing");
      } else {
        --depth;
      }
    } else if (peek() == '"' || peek() == '{') {
      nstring();
    } else if (atom() == "~" && peek() == '{') {
      nstring();
    }
  } while (ok() && depth > 0);
}

std::vector<std::string> Reader::word_list() {
  std::vector<std::string> words;
  expect('(');
  skip_spaces();
  while (ok() && !accept(')')) {
    if (words.size() == limits_.items) fail("a list is too long");
    words.emplace_back(atom());
    skip_spaces();
  }
  return words;
}

}  // namespace postroom::imap
