#include "common/mail/encoded_word.hpp"

#include <optional>

#include "common/base/text.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/transfer_encoding.hpp"

namespace postroom::mail {

namespace {

// RFC 2047 allows 75 characters; some clients put a whole subject into one word. A limit keeps words that never end
// linear.
constexpr std::size_t longest_word = 4'096;
constexpr std::size_t longest_charset = 80;

struct Word {
  std::string charset;
  std::string bytes;
  std::size_t length = 0;  // in the source
};

// =?charset*language?B|Q?text?= at the start of `text`.
std::optional<Word> word_at(std::string_view text) {
  if (text.substr(0, 2) != "=?") return std::nullopt;
  const auto charset_end = text.substr(0, longest_charset).find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size()) return std::nullopt;
  const char encoding = text[charset_end + 1];
  if (text[charset_end + 2] != '?') return std::nullopt;
  const auto begin = charset_end + 3;
  const auto length = text.substr(begin, longest_word).find("?=");
  if (length == std::string_view::npos) return std::nullopt;
  const std::string_view inside = text.substr(begin, length);
  Word word;
  word.charset = to_lower_ascii(text.substr(2, charset_end - 2));
  if (word.charset.find(' ') != std::string::npos) return std::nullopt;
  if (const auto star = word.charset.find('*'); star != std::string::npos) word.charset.resize(star);
  if (encoding == 'B' || encoding == 'b') {
    word.bytes = decode_base64(inside);
  } else if (encoding == 'Q' || encoding == 'q') {
    word.bytes = decode_q(inside);
  } else {
    return std::nullopt;
  }
  word.length = begin + length + 2;
  return word;
}

std::string plain(std::string_view bytes, const Charset& charset) {
  return is_valid_utf8(bytes) && bytes.find('\x1b') == std::string_view::npos ? std::string{bytes} : charset(bytes, "");
}

}  // namespace

std::string without_control_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  return std::string{trimmed(out)};
}

std::string decode_header(std::string_view raw, const Charset& charset) {
  const std::string line = unfolded(raw);
  const std::string_view text = line;
  std::string out;
  std::size_t plain_from = 0;
  std::size_t at = 0;
  while (at < text.size() && out.size() < longest_header_text) {
    at = text.find("=?", at);
    if (at == std::string_view::npos) break;
    auto word = word_at(text.substr(at));
    if (!word) {
      at += 2;
      continue;
    }
    out += plain(text.substr(plain_from, at - plain_from), charset);
    at += word->length;
    std::string bytes = std::move(word->bytes);
    const std::string label = word->charset;
    // Blanks between two words are no text (RFC 2047, 6.2).
    while (true) {
      const auto next_at = text.find_first_not_of(" \t", at);
      if (next_at == std::string_view::npos) break;
      auto next = word_at(text.substr(next_at));
      if (!next) break;
      if (next->charset == label) {
        bytes += next->bytes;
        at = next_at + next->length;
      } else {
        at = next_at;
        break;
      }
    }
    out += charset(bytes, label);
    plain_from = at;
  }
  if (out.size() < longest_header_text) out += plain(text.substr(plain_from), charset);
  out = without_control_bytes(out);
  if (!is_valid_utf8(out)) out = to_valid_utf8(out);
  return std::string{cut_utf8(out, longest_header_text)};
}

}  // namespace postroom::mail
