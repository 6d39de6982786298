#include "common/mail/reply_text.hpp"

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/plain_text.hpp"
#include "common/mail/reply_phrases.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t most_lines = 10'000;
constexpr std::size_t longest_signature = 20;  // lines

bool is_empty_line(std::string_view line) {
  return trimmed(line).empty();
}

// A half-open range of lines.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_empty() const { return begin >= end; }
};

class Splitter {
 public:
  Splitter(std::string_view body, bool is_answer) : is_answer_(is_answer) {
    while (!body.empty()) {
      if (lines_.size() == most_lines) {
        lines_.push_back(body);
        break;
      }
      lines_.push_back(take_line(body));
    }
  }

  ReplyText run() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (is_forward_line(lines_[i])) {  // a forwarded mail is the message, not its quote
        result_.is_forward = true;
        return whole();
      }
      if (find_introduction(i)) return after_introduction();
    }
    return is_answer_ && has_quotes({0, lines_.size()}) ? by_marks() : without_signature({0, lines_.size()}, {}, {});
  }

 private:
  // Whether a quote is introduced at line `at`; sets introduction_.
  bool find_introduction(std::size_t at) {
    if (is_quoted_line(lines_[at])) return false;
    if (is_original_message_line(lines_[at]) || is_reply_above_line(lines_[at])) {
      introduction_ = {at, at + 1};
      return true;
    }
    if (is_header_block(lines_, at)) {
      std::size_t begin = at;
      while (begin > 0 && is_empty_line(lines_[begin - 1])) --begin;
      begin = begin > 0 && is_rule_line(lines_[begin - 1]) ? begin - 1 : at;
      introduction_ = {begin, at + 1};
      return true;
    }
    const std::size_t begin = attribution_begin(lines_, at);
    if (begin > at) return false;
    introduction_ = {begin, at + 1};
    return true;
  }

  ReplyText after_introduction() {
    const Range before{0, introduction_.begin};
    std::size_t first = introduction_.end;
    while (first < lines_.size() && is_empty_line(lines_[first])) ++first;
    if (first == lines_.size() || !is_quoted_line(lines_[first])) {  // quoted as a whole, without marks
      if (!has_text(before)) return whole();
      return without_signature(before, {introduction_.begin, lines_.size()}, {});
    }
    std::size_t last_quoted = first;
    for (std::size_t i = first; i < lines_.size(); ++i) {
      if (is_quoted_line(lines_[i])) last_quoted = i;
    }
    std::size_t quote_end = first;  // of the first run of marked lines
    while (quote_end < lines_.size() && (is_quoted_line(lines_[quote_end]) || is_empty_line(lines_[quote_end])))
      ++quote_end;
    const Range after{last_quoted + 1, lines_.size()};
    const bool is_interleaved = quote_end <= last_quoted && has_text({quote_end, last_quoted});
    if (is_interleaved) return whole();
    const Range quote{introduction_.begin, last_quoted + 1};
    if (!has_text(after) && !has_text(before)) return whole();
    if (!has_text(after)) return without_signature(before, {quote.begin, lines_.size()}, {});
    if (!has_text(before)) return without_signature(after, quote, {});
    if (is_signature(after)) return without_signature(before, quote, after);
    return whole();  // above and below: the lines answer each other
  }

  // Marks without an introduction.
  ReplyText by_marks() {
    std::size_t first = 0;
    while (!is_quoted_line(lines_[first])) ++first;
    std::size_t last = lines_.size() - 1;
    while (!is_quoted_line(lines_[last])) --last;
    for (std::size_t i = first; i < last; ++i) {
      if (!is_quoted_line(lines_[i]) && !is_empty_line(lines_[i])) return whole();
    }
    const Range before{0, first};
    const Range after{last + 1, lines_.size()};
    if (!has_text(before) && !has_text(after)) return whole();
    if (!has_text(after)) return without_signature(before, {first, lines_.size()}, {});
    if (!has_text(before)) return without_signature(after, {first, last + 1}, {});
    if (is_signature(after)) return without_signature(before, {first, last + 1}, after);
    return whole();
  }

  bool has_quotes(Range range) const {
    return std::any_of(lines_.begin() + static_cast<std::ptrdiff_t>(range.begin),
                       lines_.begin() + static_cast<std::ptrdiff_t>(range.end), is_quoted_line);
  }

  bool has_text(Range range) const {
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (!is_empty_line(lines_[i])) return true;
    }
    return false;
  }

  bool is_signature(Range range) const {
    std::size_t first = range.begin;
    while (first < range.end && is_empty_line(lines_[first])) ++first;
    return first < range.end && range.end - first <= longest_signature &&
           (is_signature_mark(lines_[first]) || is_device_signature(lines_[first]));
  }

  // Where the signature at the end of `range` begins, or its end. A signature never is all there is.
  std::size_t signature_begin(Range range) const {
    const auto has_text_before = [&](std::size_t at) { return has_text({range.begin, at}); };
    for (std::size_t i = range.end; i-- > range.begin && range.end - i <= longest_signature;) {
      if (is_signature_mark(lines_[i])) return has_text_before(i) ? i : range.end;
    }
    std::size_t last = range.end;
    while (last > range.begin && is_empty_line(lines_[last - 1])) --last;
    if (last > range.begin && is_device_signature(lines_[last - 1]) && has_text_before(last - 1)) return last - 1;
    return range.end;
  }

  std::string text_of(Range range) const {
    std::string text;
    for (std::size_t i = range.begin; i < range.end; ++i) {
      text += lines_[i];
      text.push_back('\n');
    }
    return normalised_text(text);
  }

  ReplyText without_signature(Range reply, Range quoted, Range signature) {
    const std::size_t begin = signature_begin(reply);
    result_.reply = text_of({reply.begin, begin});
    result_.quoted = text_of(quoted);
    result_.signature = text_of({begin, reply.end});
    if (!signature.is_empty()) {
      if (!result_.signature.empty()) result_.signature.push_back('\n');
      result_.signature += text_of(signature);
    }
    return std::move(result_);
  }

  ReplyText whole() {
    result_.reply = text_of({0, lines_.size()});
    return std::move(result_);
  }

  bool is_answer_;
  std::vector<std::string_view> lines_;
  Range introduction_;
  ReplyText result_;
};

}  // namespace

ReplyText split_reply(std::string_view body, bool is_answer) {
  return Splitter{body, is_answer}.run();
}

}  // namespace postroom::mail
