#include "common/mail/html_text.hpp"

#include <doctest/doctest.h>

using namespace postroom::mail;

namespace {

// Just enough of a parser for well-formed tests: <tag href="…">, </tag>, text.
std::string text_of(std::string_view html) {
  HtmlText out;
  while (!html.empty()) {
    if (html.front() != '<') {
      const auto end = html.find('<');
      out.text(html.substr(0, end));
      html.remove_prefix(std::min(end, html.size()));
      continue;
    }
    const auto end = html.find('>');
    std::string_view tag = html.substr(1, end - 1);
    html.remove_prefix(end + 1);
    if (tag.front() == '/') {
      out.close();
      continue;
    }
    const auto name = tag.substr(0, tag.find(' '));
    HtmlAttributes attributes;
    const auto value_of = [&](std::string_view key) {
      const auto at = tag.find(std::string{key} + "=\"");
      if (at == std::string_view::npos) return std::string_view{};
      const auto begin = at + key.size() + 2;
      return tag.substr(begin, tag.find('"', begin) - begin);
    };
    attributes.href = value_of("href");
    attributes.alt = value_of("alt");
    attributes.style = value_of("style");
    attributes.start = value_of("start");
    out.open(name, attributes);
    if (name == "br" || name == "hr" || name == "img") out.close();
  }
  return out.finish();
}

}  // namespace

TEST_CASE("HTML reads as text") {
  struct Case {
    std::string_view html;
    std::string_view expected;
  };
  const Case cases[] = {
      {"<p>Hello <b>world</b></p>", "Hello world"},
      {"<p>one</p><p>two</p>", "one\n\ntwo"},
      {"<div>one</div><div>two</div>", "one\ntwo"},
      {"<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"},
      {"one<br>two<br><br>three", "one\ntwo\n\nthree"},
      {"  a \n  b\xc2\xa0"
       "c ",
       "a b c"},
      {"<ul><li>one</li><li>two</li></ul>", "- one\n- two"},
      {"<ol start=\"3\"><li>one</li><li>two</li></ol>", "3. one\n4. two"},
      {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
      {"<pre>a\n  b</pre>", "a\n  b"},
      {"x<blockquote>q1<blockquote>q2</blockquote></blockquote>y", "x\n\n> q1\n>\n> > q2\n\ny"},
      {"<a href=\"https://example.org/x\">the page</a>.", "the page <https://example.org/x>."},
      {"<a href=\"https://example.org/\">https://example.org</a>", "https://example.org"},
      {"<a href=\"https://example.org/\">example.org</a>", "example.org"},
      {"<a href=\"javascript:alert(1)\">click</a>", "click"},
      {"<a href=\"mailto:ann@example.org\">Ann</a>", "Ann"},
      {"<style>p{}</style><script>x</script><title>t</title>seen", "seen"},
      {"<div style=\"display: none\">hidden<p>deep</p></div>seen", "seen"},
      {"<img alt=\"logo\"> x", "logo x"},
      {"a<hr>b", "a\n--------------------\nb"},
      {"zero\xe2\x80\x8bwidth", "zerowidth"},
      {"<h1>T</h1>x", "T\n\nx"},
      {"", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.html);
    CHECK(text_of(one.html) == one.expected);
  }
}

TEST_CASE("events without order do no harm") {
  HtmlText out;
  out.close();
  out.text("a");
  out.close();
  for (int i = 0; i < 100'000; ++i) out.open("blockquote", {});
  out.text("b");
  CHECK(out.finish().size() < 200);
  HtmlText large;
  for (int i = 0; i < 100'000; ++i) large.text("0123456789 ");
  CHECK(large.finish().size() <= 256 * 1024);
}

TEST_CASE("HTML that would be dear to parse is measured first") {
  std::string deep;
  for (int i = 0; i < 5'000; ++i) deep += "<div>";
  CHECK_FALSE(html_cost(deep).is_acceptable());
  std::string wide = "<a";
  for (int i = 0; i < 5'000; ++i) wide += " b" + std::to_string(i);
  CHECK_FALSE(html_cost(wide + ">").is_acceptable());
  std::string flat;
  for (int i = 0; i < 5'000; ++i) flat += "<p>x<br><li>y<b>z</b><td style=\"a b c d e f > g\">";
  CHECK(html_cost(flat).is_acceptable());
  CHECK(html_cost("<!-- <div><div><div> --><p>").depth == 0);
  CHECK(html_cost("<a href='x' b c=d>").attributes == 3);
}
