#include "workers/notifier/conversation/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/mail/encoded_word.hpp"

namespace postroom::notifier {

namespace {

constexpr std::size_t fold_at = 76;
constexpr std::size_t longest_plain_word = 60;
constexpr std::size_t word_bytes = 39;  // 52 characters of base64 and 12 around them: fits behind "Subject: "

bool is_printable(char c) { return c >= ' ' && c < 0x7f; }
bool is_plain(std::string_view text) { return std::ranges::all_of(text, is_printable); }

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out.push_back(i <= count ? digits[bits >> (18 - 6 * i) & 63] : '=');
  }
  return out;
}

std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view piece = cut_utf8(text, word_bytes);
    if (piece.empty()) piece = text.substr(0, 1);
    out += fmt::format("{}=?utf-8?B?{}?=", out.empty() ? "" : " ", base64(piece));
    text.remove_prefix(piece.size());
  }
  return out;
}

// Each line of at most 76 characters where blanks allow it. A fold stands before a blank, which stays; none behind the name alone, because some
// readers lose a Message-ID that begins on the next line.
std::string folded(std::string_view name, std::string_view line) {
  std::string out{name};
  std::size_t column = name.size();
  bool has_word = false;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' ', 1));  // with the blank before it
    if (has_word && column + word.size() > fold_at && word.size() > 1) {
      out += "\r\n";
      column = 0;
    }
    out += word;
    column += word.size();
    has_word = true;
    line.remove_prefix(word.size());
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace

std::string field(std::string_view name, std::string_view value) {
  return folded(fmt::format("{}:", name), " " + mail::without_control_bytes(value)) + "\r\n";
}

std::string header_text(std::string_view text) {
  const std::string line = on_one_line(to_valid_utf8(text));
  // The words before the first one that needs it stay readable as they are. "=?" would be read as an encoded-word, and a word without end could not
  // be folded.
  std::size_t begin = 0;
  while (begin < line.size()) {
    const auto end = std::min(line.find(' ', begin), line.size());
    const std::string_view word = std::string_view{line}.substr(begin, end - begin);
    if (!is_plain(word) || word.find("=?") != std::string_view::npos || word.size() > longest_plain_word) break;
    begin = end + 1;
  }
  if (begin >= line.size()) return line;
  return line.substr(0, begin) + encoded_words(std::string_view{line}.substr(begin));
}

std::string mailbox(std::string_view name, std::string_view address) {
  const std::string shown{cut_utf8(on_one_line(to_valid_utf8(name)), 128)};
  if (shown.empty()) return std::string{address};
  const bool is_simple = is_plain(shown) && shown.find("=?") == std::string::npos;
  return fmt::format("{} <{}>", is_simple ? quoted(shown) : encoded_words(shown), address);
}

std::string quoted_printable(std::string_view text) {
  std::string out, line;
  const auto piece_of = [&](char c, bool is_last) {
    // A dot or "From " at the beginning of a line is what relays are known to change.
    const bool is_risky = line.empty() && (c == '.' || c == 'F');
    const bool is_kept = is_printable(c) && c != '=' && !is_risky && !(c == ' ' && is_last);
    return is_kept ? std::string{c} : fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  };
  const auto end_line = [&](std::string_view end) {
    out += line;
    out += end;
    line.clear();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') {
      end_line("\r\n");
      continue;
    }
    const bool is_last = at + 1 == text.size() || text[at + 1] == '\n';
    std::string piece = piece_of(text[at], is_last);
    if (line.size() + piece.size() > 75) {
      end_line("=\r\n");
      piece = piece_of(text[at], is_last);
    }
    line += piece;
  }
  if (!line.empty()) end_line("\r\n");
  return out;
}

std::string base64_lines(std::string_view bytes) {
  const std::string all = base64(bytes);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += fold_at) out += all.substr(at, fold_at) + "\r\n";
  return out;
}

std::string text_part(std::string_view content_type, std::string_view text) {
  std::string encoded = quoted_printable(text);
  std::string_view encoding = "quoted-printable";
  // Line ends of text are CR LF also inside base64 (RFC 2046 4.1.1).
  std::string lines;
  for (const char c : text) {
    if (c == '\n') lines.push_back('\r');
    lines.push_back(c);
  }
  if (std::string other = base64_lines(lines); other.size() < encoded.size()) {
    encoded = std::move(other);
    encoding = "base64";
  }
  return fmt::format("Content-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n{}", content_type, encoding, encoded);
}

std::string html_escaped(std::string_view text) {
  std::string out;
  char before = '\n';
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n': out += "<br>\n"; break;
      case ' ': out += before == ' ' || before == '\n' ? "&nbsp;" : " "; break;
      default: out.push_back(c);
    }
    before = c;
  }
  return out;
}

}  // namespace postroom::notifier
