#include "common/mail/subject.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/plain_text.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t longest_title = 255;

constexpr std::array<std::string_view, 21> reply_words = {"re",   "aw", "antw", "sv",  "vs",   "ref",   "rif",
                                                          "res",  "r",  "odp",  "ynt", "bls",  "balas", "atb",
                                                          "σχετ", "απ", "на",   "отв", "回复", "回覆",  "答复"};
constexpr std::array<std::string_view, 17> forward_words = {"fw",  "fwd",    "wg",  "tr",     "rv",  "enc",
                                                            "i",   "vb",     "vl",  "doorst", "vbs", "pd",
                                                            "ilt", "пересл", "πρθ", "转发",   "轉寄"};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

SubjectParts subject_parts(std::string_view subject) {
  SubjectParts parts{trimmed(subject)};
  while (true) {
    const auto ascii = parts.rest.find(':');
    const auto wide = parts.rest.find("：");
    const auto colon = std::min(ascii, wide);
    if (colon == std::string_view::npos || colon > 24) return parts;
    std::string_view word = trimmed(parts.rest.substr(0, colon));
    const auto counter = word.find_first_of("[(");  // Re[2]:, Re(3):
    if (counter != std::string_view::npos && word.find_first_not_of("0123456789", counter + 1) == word.size() - 1)
      word = trimmed(word.substr(0, counter));
    const std::string lower = folded_case(word);
    const bool is_reply = is_one_of(lower, reply_words);
    const bool is_forward = is_one_of(lower, forward_words);
    if (!is_reply && !is_forward) return parts;
    parts.is_reply |= is_reply;
    parts.is_forward |= is_forward;
    parts.rest = trimmed(parts.rest.substr(colon + (colon == ascii ? 1 : 3)));
  }
}

std::string title_of(std::string_view subject, std::string_view body_text) {
  std::string_view title = trimmed(subject);
  while (title.empty() && !body_text.empty()) title = trimmed(take_line(body_text));
  return title.empty() ? "(no subject)" : std::string{trimmed(cut_utf8(title, longest_title))};
}

}  // namespace postroom::mail
