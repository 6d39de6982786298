#include "common/mail/html_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/text.hpp"
#include "common/mail/plain_text.hpp"

namespace postroom::mail {

namespace {

enum class Kind { block, paragraph, item, row, cell, skipped, other };

struct TagKind {
  std::string_view tag;
  Kind kind;
};

constexpr std::array<TagKind, 58> tags = {{
    {"address", Kind::block},
    {"article", Kind::block},
    {"aside", Kind::block},
    {"body", Kind::block},
    {"center", Kind::block},
    {"dd", Kind::block},
    {"details", Kind::block},
    {"div", Kind::block},
    {"dl", Kind::paragraph},
    {"dt", Kind::block},
    {"fieldset", Kind::block},
    {"figcaption", Kind::block},
    {"figure", Kind::block},
    {"footer", Kind::block},
    {"form", Kind::block},
    {"header", Kind::block},
    {"html", Kind::block},
    {"legend", Kind::block},
    {"main", Kind::block},
    {"nav", Kind::block},
    {"section", Kind::block},
    {"summary", Kind::block},
    {"table", Kind::block},
    {"tbody", Kind::block},
    {"tfoot", Kind::block},
    {"thead", Kind::block},
    {"option", Kind::block},
    {"caption", Kind::block},
    {"blockquote", Kind::paragraph},
    {"h1", Kind::paragraph},
    {"h2", Kind::paragraph},
    {"h3", Kind::paragraph},
    {"h4", Kind::paragraph},
    {"h5", Kind::paragraph},
    {"h6", Kind::paragraph},
    {"ol", Kind::block},
    {"p", Kind::paragraph},
    {"pre", Kind::paragraph},
    {"ul", Kind::block},
    {"li", Kind::item},
    {"tr", Kind::row},
    {"td", Kind::cell},
    {"th", Kind::cell},
    {"head", Kind::skipped},
    {"script", Kind::skipped},
    {"style", Kind::skipped},
    {"template", Kind::skipped},
    {"title", Kind::skipped},
    {"svg", Kind::skipped},
    {"math", Kind::skipped},
    {"object", Kind::skipped},
    {"iframe", Kind::skipped},
    {"noframes", Kind::skipped},
    {"select", Kind::skipped},
    {"textarea", Kind::skipped},
    {"audio", Kind::skipped},
    {"video", Kind::skipped},
    {"a", Kind::other},
}};

const TagKind* known(std::string_view tag) {
  const auto found = std::find_if(tags.begin(), tags.end(), [&](const TagKind& one) { return one.tag == tag; });
  return found == tags.end() ? nullptr : &*found;
}

constexpr std::size_t longest_link = 2'000;  // bytes that are shown

bool is_not_displayed(std::string_view style) {
  if (style.empty()) return false;
  std::string compact;
  for (const char c : to_lower_ascii(style.substr(0, 2'000))) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') compact.push_back(c);
  }
  return compact.find("display:none") != std::string::npos || compact.find("mso-hide:all") != std::string::npos;
}

bool is_link_worth_showing(std::string_view href, std::string_view shown) {
  const std::string lower = to_lower_ascii(href.substr(0, 8));
  if (lower.substr(0, 4) != "http") return false;
  if (href.size() > longest_link) return true;
  std::string_view bare = href;
  if (!bare.empty() && bare.back() == '/') bare.remove_suffix(1);
  const auto scheme = bare.find("://");
  return scheme != std::string_view::npos && shown.find(bare.substr(scheme + 3)) == std::string_view::npos;
}

// Bytes of a blank at the start of `text`, also the ones that are invisible: no-break space, zero-width space, byte
// order mark.
std::size_t blank_length(std::string_view text, bool& is_invisible) {
  is_invisible = false;
  if (text.front() == ' ' || text.front() == '\t' || text.front() == '\n' || text.front() == '\r' ||
      text.front() == '\f')
    return 1;
  if (text.substr(0, 2) == "\xc2\xa0") return 2;
  is_invisible = true;
  if (text.substr(0, 3) == "\xe2\x80\x8b" || text.substr(0, 3) == "\xef\xbb\xbf") return 3;
  if (text.substr(0, 2) == "\xcd\x8f" || text.substr(0, 2) == "\xc2\xad") return 2;
  return 0;
}

constexpr int deepest_quote = 10;

bool is_html_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

// Counts the attributes of a tag as an HTML tokenizer does, from the end of its name; moves `at` past the tag.
std::size_t count_attributes(std::string_view html, std::size_t& at) {
  std::size_t count = 0;
  while (at < html.size() && html[at] != '>') {
    if (is_html_blank(html[at]) || html[at] == '/') {
      ++at;
      continue;
    }
    ++count;
    ++at;
    while (at < html.size() && !is_html_blank(html[at]) && html[at] != '=' && html[at] != '>' && html[at] != '/') ++at;
    while (at < html.size() && is_html_blank(html[at])) ++at;
    if (at >= html.size() || html[at] != '=') continue;
    ++at;
    while (at < html.size() && is_html_blank(html[at])) ++at;
    if (at >= html.size()) break;
    if (html[at] == '"' || html[at] == '\'') {
      at = std::min(html.find(html[at], at + 1), html.size());
      if (at < html.size()) ++at;
    } else {
      while (at < html.size() && !is_html_blank(html[at]) && html[at] != '>') ++at;
    }
  }
  return count;
}

}  // namespace

bool HtmlText::is_full() const {
  return out_.size() >= longest_body_text;
}

void HtmlText::line_break(int count) {
  breaks_ = std::max(breaks_, count);
  owes_blank_ = false;
}

void HtmlText::begin_line() {
  for (int i = 0; i < std::min(quote_depth_, deepest_quote); ++i) out_ += "> ";
}

void HtmlText::put(std::string_view visible) {
  if (visible.empty() || is_full()) return;
  if (out_.empty()) {
    begin_line();
  } else if (breaks_ > 0) {
    for (int i = 0; i < breaks_; ++i) {
      out_.push_back('\n');
      if (i + 1 < breaks_ && std::min(quote_depth_, last_depth_) > 0) out_.push_back('>');
    }
    begin_line();
  } else if (owes_blank_) {
    out_.push_back(' ');
  }
  breaks_ = 0;
  owes_blank_ = false;
  last_depth_ = quote_depth_;
  out_ += cut_utf8(visible, longest_body_text - std::min(longest_body_text, out_.size()));
}

void HtmlText::open(std::string_view tag, const HtmlAttributes& attributes) {
  const TagKind* kind = known(tag);
  Element element;
  element.tag = kind == nullptr ? std::string_view{} : kind->tag;
  element.is_skipped = is_skipping() || (kind != nullptr && kind->kind == Kind::skipped) || attributes.is_hidden ||
                       is_not_displayed(attributes.style);
  if (!element.is_skipped) {
    if (tag == "br") {
      if (breaks_ > 0 || out_.empty()) {
        breaks_ = std::min(breaks_ + 1, 3);
      } else {
        breaks_ = 1;
      }
      owes_blank_ = false;
    } else if (tag == "hr") {
      line_break(1);
      put("--------------------");
      line_break(1);
    } else if (tag == "img" && !attributes.alt.empty()) {
      text(attributes.alt);
    } else if (tag == "a") {
      element.href = attributes.href;
    } else if (tag == "pre") {
      ++pre_depth_;
    } else if (tag == "ol") {
      const auto* end = attributes.start.data() + attributes.start.size();
      if (attributes.start.size() > 6 || std::from_chars(attributes.start.data(), end, element.item).ec != std::errc{})
        element.item = 1;
    }
    if (kind != nullptr) {
      switch (kind->kind) {
        case Kind::block:
        case Kind::row:
          line_break(1);
          break;
        case Kind::paragraph:
          line_break(2);
          break;
        case Kind::item: {
          line_break(1);
          const auto list = std::find_if(elements_.rbegin(), elements_.rend(),
                                         [](const Element& one) { return one.tag == "ol" || one.tag == "ul"; });
          if (list != elements_.rend() && list->tag == "ol") {
            put(fmt::format("{}.", list->item++));
          } else {
            put("-");
          }
          owes_blank_ = true;
          break;
        }
        case Kind::cell:
          if (breaks_ == 0 && !out_.empty()) owes_blank_ = true;
          break;
        case Kind::skipped:
        case Kind::other:
          break;
      }
    }
    if (tag == "blockquote") ++quote_depth_;
    element.begin = out_.size();
  }
  elements_.push_back(std::move(element));
}

void HtmlText::text(std::string_view utf8) {
  if (is_skipping()) return;
  while (!utf8.empty() && !is_full()) {
    if (pre_depth_ > 0) {
      const auto end = utf8.find('\n');
      std::string line;
      for (const char c : utf8.substr(0, end)) {
        if (c == '\t' || static_cast<unsigned char>(c) >= 0x20) line.push_back(c);
      }
      put(line);
      if (end == std::string_view::npos) return;
      breaks_ = std::min(breaks_ + 1, 3);
      utf8.remove_prefix(end + 1);
      continue;
    }
    bool is_invisible = false;
    if (const std::size_t blank = blank_length(utf8, is_invisible); blank > 0) {
      if (!is_invisible && breaks_ == 0 && !out_.empty()) owes_blank_ = true;
      utf8.remove_prefix(blank);
      continue;
    }
    std::size_t end = 1;
    while (end < utf8.size() && blank_length(utf8.substr(end), is_invisible) == 0) ++end;
    put(utf8.substr(0, end));
    utf8.remove_prefix(end);
  }
}

void HtmlText::close() {
  if (elements_.empty()) return;
  const Element element = std::move(elements_.back());
  elements_.pop_back();
  if (element.is_skipped) return;
  if (!element.href.empty() && element.begin <= out_.size() &&
      is_link_worth_showing(element.href, std::string_view{out_}.substr(element.begin))) {
    owes_blank_ = breaks_ == 0 && !out_.empty();
    std::string target;
    for (const char c : element.href.substr(0, longest_link)) {
      if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) target.push_back(c);
    }
    put("<" + to_valid_utf8(target) + ">");
  }
  if (element.tag.empty()) return;
  if (element.tag == "blockquote") --quote_depth_;
  if (element.tag == "pre") --pre_depth_;
  switch (known(element.tag)->kind) {
    case Kind::block:
    case Kind::item:
    case Kind::row:
      line_break(1);
      break;
    case Kind::paragraph:
      line_break(2);
      break;
    case Kind::cell:
      owes_blank_ = breaks_ == 0;
      break;
    case Kind::skipped:
    case Kind::other:
      break;
  }
}

std::string HtmlText::finish() {
  while (!elements_.empty()) close();
  breaks_ = 0;
  owes_blank_ = false;
  return normalised_text(std::move(out_));
}

HtmlCost html_cost(std::string_view html) {
  static constexpr std::array<std::string_view, 26> shallow = {
      "area", "base", "br", "col", "embed", "hr", "img", "input", "link",   "meta",  "param", "source", "track",
      "wbr",  "p",    "li", "td",  "tr",    "th", "dd",  "dt",    "option", "tbody", "thead", "tfoot",  "o:p"};
  HtmlCost cost;
  std::size_t depth = 0;
  for (auto at = html.find('<'); at != std::string_view::npos; at = html.find('<', at)) {
    if (html.substr(at, 4) == "<!--") {
      at = html.find("-->", at + 4);
      if (at == std::string_view::npos) break;
      continue;
    }
    const bool is_close = at + 1 < html.size() && html[at + 1] == '/';
    at += is_close ? 2 : 1;
    const auto name_end = std::min(html.find_first_of(" \t\r\n\f/>", at), html.size());
    const std::string name = to_lower_ascii(html.substr(at, std::min<std::size_t>(name_end - at, 16)));
    if (name.empty() || name[0] < 'a' || name[0] > 'z') continue;
    if (std::find(shallow.begin(), shallow.end(), name) == shallow.end()) {
      if (!is_close) cost.depth = std::max(cost.depth, ++depth);
      if (is_close && depth > 0) --depth;
    }
    cost.attributes = std::max(cost.attributes, count_attributes(html, at = name_end));
  }
  return cost;
}

}  // namespace postroom::mail
