// Events of a tree in any order, as bytes say: the text is bounded and valid.
#include "common/base/text.hpp"
#include "common/mail/html_text.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::string_view tags[] = {"p",   "div",    "br",    "hr", "a",      "ul",
                                              "ol",  "li",     "table", "tr", "td",     "blockquote",
                                              "pre", "script", "img",   "h1", "unknown"};
  const std::string_view bytes = fuzz::text(data, size);
  mail::html_cost(bytes);
  const std::string valid = to_valid_utf8(bytes);
  mail::HtmlText text;
  for (std::size_t i = 0; i < valid.size();) {
    const auto op = static_cast<unsigned char>(valid[i]);
    const std::string_view piece = cut_utf8(std::string_view{valid}.substr(i), 1 + op % 32);
    i += piece.empty() ? 1 : piece.size();
    if (op % 4 == 0) {
      text.close();
    } else if (op % 4 == 1) {
      mail::HtmlAttributes attributes;
      attributes.href = attributes.style = attributes.alt = attributes.start = piece;
      attributes.is_hidden = op % 64 == 1;
      text.open(tags[op % std::size(tags)], attributes);
    } else if (is_valid_utf8(piece)) {
      text.text(piece);
    }
  }
  const std::string out = text.finish();
  fuzz::require(is_valid_utf8(out) && out.size() <= 300 * 1024);
  return 0;
}
