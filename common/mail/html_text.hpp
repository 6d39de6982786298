#pragma once
// HTML as plain text, from the events of a parse tree. Knows no parser: the sandbox walks Gumbo's tree and calls open,
// text and close.

#include <string>
#include <string_view>
#include <vector>

namespace postroom::mail {

// Of one element; empty when absent.
struct HtmlAttributes {
  std::string_view href;
  std::string_view alt;
  std::string_view style;
  std::string_view start;  // of an <ol>
  bool is_hidden = false;
};

// Blocks become lines, paragraphs are set apart, lists get marks, quotes get "> ", links keep their target, styles,
// scripts and what is not displayed vanish. Bounded: at most 256 KiB come out; a close without its open is ignored. No
// recursion.
class HtmlText {
 public:
  void open(std::string_view tag, const HtmlAttributes& attributes);  // tag in lower case
  void text(std::string_view utf8);
  void close();  // the innermost open element

  std::string finish();  // closes what is open; trimmed

 private:
  struct Element {
    std::string_view tag;  // from a table of ours, or empty for one without meaning
    std::string href;
    std::size_t begin = 0;  // of its text in out_
    int item = 0;           // counts an <ol>
    bool is_skipped = false;
  };

  void line_break(int count);
  void put(std::string_view visible);
  void begin_line();
  bool is_skipping() const { return !elements_.empty() && elements_.back().is_skipped; }
  bool is_full() const;

  std::string out_;
  std::vector<Element> elements_;
  int breaks_ = 0;  // owed before the next text
  bool owes_blank_ = false;
  int quote_depth_ = 0;
  int last_depth_ = 0;  // of the last text
  int pre_depth_ = 0;
};

// Whether a tree builder could be made to work too hard: the deepest nesting and the most attributes of one tag, by a
// linear look at the bytes.
struct HtmlCost {
  std::size_t depth = 0;
  std::size_t attributes = 0;
  bool is_acceptable() const { return depth <= 1'000 && attributes <= 500; }
};
HtmlCost html_cost(std::string_view html);

}  // namespace postroom::mail
