#include "common/imap/decoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace postroom::imap {

namespace {
constexpr std::string_view search_start = "* search ";
}  // namespace

Result<std::optional<Response>> Decoder::next(std::string_view& input) {
  while (true) {
    switch (mode_) {
      case Mode::lost:
        return lose(lost_why_);
      case Mode::line:
        if (take_line(input)) {
          auto outcome = line_complete();
          if (!outcome || *outcome) return outcome;
        } else if (is_long_search()) {
          return search_part();
        } else if (text_.size() > limits_.line_bytes) {
          return lose(fmt::format("a response is longer than {} bytes", limits_.line_bytes));
        } else if (input.empty()) {
          return std::optional<Response>{};
        }
        break;
      case Mode::kept_literal: {
        const std::size_t take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
        literals_.back().bytes += input.substr(0, take);
        kept_ += take;
        input.remove_prefix(take);
        remaining_ -= take;
        if (remaining_ > 0) return std::optional<Response>{};
        mode_ = Mode::line;
        break;
      }
      case Mode::streamed_literal:
        return take_streamed(input);
    }
  }
}

// Never more than one search part at a time, so that a long SEARCH is cut at the same places however the bytes arrive.
bool Decoder::take_line(std::string_view& input) {
  const std::size_t room = search_part_bytes - text_.size() % search_part_bytes;
  const std::string_view window = input.substr(0, room);
  const auto end = window.find('\n');
  const std::size_t take = end == std::string_view::npos ? window.size() : end + 1;
  text_ += window.substr(0, take);
  input.remove_prefix(take);
  return end != std::string_view::npos;
}

Decoder::Outcome Decoder::line_complete() {
  if (text_.size() > limits_.line_bytes)
    return lose(fmt::format("a response is longer than {} bytes", limits_.line_bytes));
  if (!text_.ends_with("\r\n")) return lose("a line ends without CR");
  if (text_.find('\0') != std::string::npos) return lose("a line contains NUL");
  Parsed parsed = parse_response(text_, literals_, limits_);
  if (auto* wanted = std::get_if<LiteralWanted>(&parsed)) return begin_literal(std::move(*wanted));
  if (auto* response = std::get_if<Response>(&parsed)) {
    begin_response();
    return std::optional<Response>{std::move(*response)};
  }
  const std::string& what = std::get<Senseless>(parsed).what;
  // A line that could have announced a literal would leave us reading a mail's text as the server's word.
  const bool is_harmless = text_.starts_with("* ") && literals_.empty() && text_.find('{') == std::string::npos;
  if (!is_harmless) return lose(fmt::format("{}: {}", what, json_escaped(text_.substr(0, 80))));
  Malformed malformed{fmt::format("{}: {}", what, json_escaped(trimmed(text_).substr(0, 80)))};
  begin_response();
  return std::optional<Response>{std::move(malformed)};
}

Decoder::Outcome Decoder::begin_literal(LiteralWanted wanted) {
  const std::uint64_t limit =
      wanted.body ? limits_.body_bytes : std::min(limits_.literal_bytes, limits_.kept_bytes - kept_);
  if (wanted.byte_count > limit) {
    return lose(fmt::format("a literal of {} bytes is announced, {} are allowed", wanted.byte_count, limit));
  }
  if (literals_.size() == limits_.literals) return lose("a response has too many literals");
  literals_.push_back({.is_streamed = wanted.body.has_value(), .byte_count = wanted.byte_count});
  remaining_ = wanted.byte_count;
  mode_ = wanted.body ? Mode::streamed_literal : Mode::kept_literal;
  if (!wanted.body) return std::optional<Response>{};
  wanted.body->byte_count = wanted.byte_count;
  return std::optional<Response>{std::move(*wanted.body)};
}

Decoder::Outcome Decoder::take_streamed(std::string_view& input) {
  if (remaining_ == 0) {
    mode_ = Mode::line;
    return std::optional<Response>{BodyEnd{}};
  }
  if (input.empty()) return std::optional<Response>{};
  const std::string_view bytes =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size())));
  input.remove_prefix(bytes.size());
  remaining_ -= bytes.size();
  return std::optional<Response>{BodyChunk{bytes}};
}

bool Decoder::is_long_search() const {
  return text_.size() >= search_part_bytes &&
         to_lower_ascii(std::string_view{text_}.substr(0, search_start.size())) == search_start;
}

Decoder::Outcome Decoder::search_part() {
  const auto cut = text_.rfind(' ', text_.find(" ("));  // (MODSEQ n) stays whole
  Parsed parsed = parse_response(text_.substr(0, cut) + "\r\n", literals_, limits_);
  auto* response = std::get_if<Response>(&parsed);
  auto* search = response == nullptr ? nullptr : std::get_if<Search>(response);
  if (search == nullptr || search->numbers.empty()) return lose("a SEARCH answer is not a list of numbers");
  search->is_last = false;
  text_.erase(search_start.size(), cut + 1 - search_start.size());
  return std::optional<Response>{std::move(*search)};
}

void Decoder::begin_response() {
  text_.clear();
  literals_.clear();
  kept_ = 0;
}

Error Decoder::lose(std::string what) {
  mode_ = Mode::lost;
  lost_why_ = std::move(what);
  begin_response();
  return {Code::bad_message, lost_why_, "imap"};
}

}  // namespace postroom::imap
