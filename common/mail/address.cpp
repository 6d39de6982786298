#include "common/mail/address.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/header_block.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t longest_name = 256;

// One entry of the list, as it is collected.
struct Entry {
  std::string phrase;  // outside of quotes, comments and angle brackets
  std::string quoted;  // the display name's quoted strings
  std::string angle;   // inside <…>
  std::string comment;
  bool has_angle = false;
  bool has_quotes = false;

  bool is_empty() const { return trimmed(phrase).empty() && !has_angle && !has_quotes && comment.empty(); }
};

bool is_domain(std::string_view domain) {
  if (domain.empty() || domain.size() > 255) return false;
  if (domain.front() == '[')
    return domain.size() > 2 && domain.back() == ']' && domain.find_first_of("<>()@ ") == std::string_view::npos;
  for (const std::string_view label : split(domain, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label) {
      const bool is_sound = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '_' || static_cast<unsigned char>(c) >= 0x80;
      if (!is_sound) return false;
    }
  }
  return true;
}

std::string with_lower_domain(std::string_view addr) {
  const auto at = addr.rfind('@');
  return std::string{addr.substr(0, at + 1)} + to_lower_ascii(addr.substr(at + 1));
}

// The address hidden in untidy text: surrounding brackets, quotes, "mailto:", a route, a trailing dot.
std::string addr_in(std::string_view text) {
  text = trimmed(text);
  while (!text.empty() && (text.front() == '<' || text.front() == '\'' || text.front() == ' ')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '>' || text.back() == '\'' || text.back() == ' ' || text.back() == '.'))
    text.remove_suffix(1);
  if (equals_ignoring_case(text.substr(0, 7), "mailto:")) text.remove_prefix(7);
  if (!text.empty() && text.front() == '@') {  // <@relay,@relay:user@host>, RFC 5322, 4.4
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos) text.remove_prefix(colon + 1);
  }
  if (is_addr_spec(text)) return with_lower_domain(text);
  if (!text.empty() && text.front() == '"') return {};
  std::string without_blanks;  // "john @ example.org" is obsolete syntax, but legal
  for (const char c : text) {
    if (c != ' ' && c != '\t') without_blanks.push_back(c);
  }
  return without_blanks.size() != text.size() && text.find(" @") != std::string_view::npos &&
                 is_addr_spec(without_blanks)
             ? with_lower_domain(without_blanks)
             : std::string{};
}

// The word that looks like an address among other words, as in: john@example.org John Doe
std::string addr_among_words(std::string_view text) {
  for (const std::string_view word : split(text, ' ')) {
    if (std::string found = addr_in(word); !found.empty()) return found;
  }
  return {};
}

std::string display_name(std::string_view text, const Charset& charset) {
  std::string name = decode_header(text, charset);
  std::string_view shown = trimmed(name);
  while (shown.size() > 1 && (shown.front() == '\'' || shown.front() == '"') && shown.back() == shown.front()) {
    shown = trimmed(shown.substr(1, shown.size() - 2));
  }
  return std::string{cut_utf8(shown, longest_name)};
}

Address finished(const Entry& entry, const Charset& charset) {
  Address address;
  if (entry.has_angle) {
    address.addr = addr_in(entry.angle);
    address.name = display_name(
        entry.phrase + (entry.has_quotes && trimmed(entry.phrase).empty() ? entry.quoted : std::string{}), charset);
    if (address.name.empty()) address.name = display_name(entry.has_quotes ? entry.quoted : entry.comment, charset);
    if (address.addr.empty()) address.addr = addr_in(entry.phrase);  // <> after a bare address
    return address;
  }
  // Quotes without brackets: a quoted local part, or a name that forgot its brackets.
  const std::string bare = entry.has_quotes ? "\"" + entry.quoted + "\"" + std::string{trimmed(entry.phrase)}
                                            : std::string{trimmed(entry.phrase)};
  address.addr = addr_in(bare);
  if (address.addr.empty()) address.addr = addr_among_words(entry.phrase);
  if (address.addr.empty()) {
    address.name = display_name(entry.has_quotes ? entry.quoted : entry.phrase, charset);
  } else {
    address.name = display_name(entry.comment, charset);
  }
  return address;
}

// The list as a state machine over bytes; depth only counts, nothing nests.
class ListReader {
 public:
  ListReader(std::string_view text, const Charset& charset)
      : text_(text),
        charset_(charset),
        last_bracket_(text.rfind('>') == std::string_view::npos ? 0 : text.rfind('>')) {}

  std::vector<Address> read() {
    for (at_ = 0; at_ < text_.size() && result_.size() < most_addresses; ++at_) step(text_[at_]);
    end_entry();
    return std::move(result_);
  }

 private:
  void step(char c) {
    switch (c) {
      case '"':
        return quoted_string();
      case '(':
        return comment();
      case '<':
        return angle();
      case ',':
      case ';':
        return end_entry();
      case ':':
        if (entry_.phrase.find('@') == std::string::npos && !entry_.has_angle) {
          entry_ = {};  // the name of a group
        } else {
          entry_.phrase.push_back(c);
        }
        return;
      case '\\':
        if (at_ + 1 < text_.size()) entry_.phrase.push_back(text_[++at_]);
        return;
      default:
        entry_.phrase.push_back(c);
    }
  }

  void quoted_string() {
    const auto begin = at_;
    std::string inside;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      inside.push_back(text_[at_]);
    }
    if (at_ >= text_.size()) {  // never closed: an ordinary character after all
      at_ = begin;
      return;
    }
    if (entry_.has_quotes) entry_.quoted.push_back(' ');
    entry_.quoted += inside;
    entry_.has_quotes = true;
  }

  void comment() {
    if (has_open_comment_) return entry_.phrase.push_back(' ');
    const auto begin = at_;
    std::size_t depth = 1;
    std::string inside;
    for (++at_; at_ < text_.size() && depth > 0; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
      } else if (text_[at_] == '(') {
        ++depth;
      } else if (text_[at_] == ')' && --depth == 0) {
        break;
      }
      inside.push_back(text_[at_]);
    }
    if (depth > 0) {
      at_ = begin;
      has_open_comment_ = true;  // never look for the end again: that would be quadratic
      return;
    }
    if (entry_.comment.empty()) entry_.comment = std::move(inside);
  }

  void angle() {
    const auto end = at_ < last_bracket_ ? text_.find('>', at_) : std::string_view::npos;
    const std::string_view inside = text_.substr(at_ + 1, end == std::string_view::npos ? end : end - at_ - 1);
    if (end == std::string_view::npos) {  // <john@example.org, with the bracket forgotten
      const auto comma = std::min(inside.find_first_of(",;"), inside.size());
      entry_.angle = inside.substr(0, comma);
      entry_.has_angle = true;
      at_ += comma;
      return;
    }
    // The last pair of brackets is the address; what came before was part of the name.
    if (entry_.has_angle) entry_.phrase += entry_.angle;
    entry_.angle = inside;
    entry_.has_angle = true;
    at_ = end;
  }

  void end_entry() {
    if (!entry_.is_empty()) {
      Address address = finished(entry_, charset_);
      if (!address.addr.empty() || !address.name.empty()) result_.push_back(std::move(address));
    }
    entry_ = {};
  }

  std::string_view text_;
  const Charset& charset_;
  std::size_t last_bracket_;
  std::size_t at_ = 0;
  bool has_open_comment_ = false;
  Entry entry_;
  std::vector<Address> result_;
};

}  // namespace

bool is_addr_spec(std::string_view text) {
  if (text.size() > 254 || has_control_bytes(text) || !is_valid_utf8(text)) return false;
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || !is_domain(text.substr(at + 1))) return false;
  const std::string_view local = text.substr(0, at);
  if (local.front() == '"')
    return local.size() > 2 && local.back() == '"' &&
           local.substr(1, local.size() - 2).find('"') == std::string_view::npos;
  return local.find_first_of("<>()[]\\,;:\"@ \t") == std::string_view::npos && local.substr(0, 2) != "=?";
}

std::vector<Address> parse_addresses(std::string_view raw, const Charset& charset) {
  const std::string line = unfolded(raw);
  return ListReader{line, charset}.read();
}

std::vector<Address> parse_addresses(std::string_view decoded) {
  return parse_addresses(decoded, [](std::string_view bytes, std::string_view) { return to_valid_utf8(bytes); });
}

std::string canonical_address(std::string_view addr) {
  return to_lower_ascii(trimmed(addr));
}

bool takes_no_answers(std::string_view addr) {
  static constexpr std::array<std::string_view, 5> exact = {"postmaster", "abuse", "root", "nobody", "bounce"};
  static constexpr std::array<std::string_view, 2> beginnings = {"noreply", "donotreply"};
  // Words of the local part, wherever they stand, between its ends, dots, dashes, underscores and pluses.
  static constexpr std::array<std::string_view, 13> phrases = {
      "-noreply-",     "-no-reply-",        "-donotreply-",     "-do-not-reply-",    "-donot-reply-",
      "-dont-reply-",  "-autoreply-",       "-auto-reply-",     "-autoresponder-",   "-bounces-",
      "-mailer-daemon-", "-nicht-antworten-", "-ne-pas-repondre-"};
  const std::string whole = canonical_address(addr);
  const std::string_view local = std::string_view{whole}.substr(0, whole.rfind('@'));
  std::string words = "-";
  for (const char c : local) words += c == '.' || c == '_' || c == '+' ? '-' : c;
  words += '-';
  return std::find(exact.begin(), exact.end(), local) != exact.end() ||
         std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view one) { return local.starts_with(one); }) ||
         std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view one) { return words.find(one) != std::string::npos; });
}

bool is_mail_server(std::string_view addr) {
  const std::string whole = canonical_address(addr);
  std::string_view local = std::string_view{whole}.substr(0, whole.rfind('@'));
  local = local.substr(0, local.find('+'));
  return local == "mailer-daemon" || local == "postmaster";
}

}  // namespace postroom::mail
