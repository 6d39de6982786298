#include "common/mail/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "common/base/text.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/transfer_encoding.hpp"

namespace postroom::mail {

namespace {

// One piece of name*0*=…; several make a value.
struct Piece {
  std::string text;
  bool is_extended = false;  // percent-encoded, RFC 2231
};

struct Pieces {
  std::map<int, Piece> by_number;
};

std::string unquoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out.push_back(text[i]);
  }
  return out;
}

// Up to the next semicolon outside quotes; `text` moves past it.
std::string_view take_parameter(std::string_view& text) {
  bool is_quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '\\' && is_quoted) {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == ';' && !is_quoted) {
      break;
    }
  }
  const std::string_view one = text.substr(0, std::min(i, text.size()));
  text.remove_prefix(std::min(i + 1, text.size()));
  return one;
}

std::string joined(const Pieces& pieces, const Charset& charset) {
  std::string bytes;
  std::string label;
  bool is_extended = false;
  int expected = 0;
  for (const auto& [number, piece] : pieces.by_number) {
    if (number != expected++) break;  // a gap ends the value
    std::string_view text = piece.text;
    if (piece.is_extended) {
      is_extended = true;
      if (number == 0) {  // charset'language'text
        const auto first = text.find('\'');
        const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
        if (second != std::string_view::npos) {
          label = to_lower_ascii(text.substr(0, first));
          text.remove_prefix(second + 1);
        }
      }
      bytes += decode_percent(text);
    } else {
      bytes += text;
    }
  }
  return is_extended ? without_control_bytes(to_valid_utf8(charset(bytes, label))) : decode_header(bytes, charset);
}

}  // namespace

std::string_view Parameters::get(std::string_view name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; });
  return found == entries.end() ? std::string_view{} : std::string_view{found->second};
}

Parameters parse_parameters(std::string_view raw, const Charset& charset) {
  const std::string line = unfolded(raw);
  std::string_view text = line;
  Parameters result;
  result.value = to_valid_utf8(cut_utf8(to_lower_ascii(trimmed(take_parameter(text))), 200));
  if (const auto blank = result.value.find_first_of(" \t("); blank != std::string::npos) result.value.resize(blank);

  std::vector<std::string> order;
  std::map<std::string, Pieces> by_name;
  while (!text.empty()) {
    const std::string_view one = trimmed(take_parameter(text));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    ++result.count;
    std::string name = to_lower_ascii(trimmed(one.substr(0, equals)));
    result.has_foreign_names |=
        std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7e; });
    if (result.count > most_parameters) continue;
    Piece piece;
    std::string_view value = trimmed(one.substr(equals + 1));
    if (!value.empty() && value.front() == '"') {
      value.remove_prefix(1);
      if (!value.empty() && value.back() == '"') value.remove_suffix(1);
      piece.text = unquoted(value);
    } else {
      piece.text = value;
    }
    int number = 0;
    if (!name.empty() && name.back() == '*') {
      piece.is_extended = true;
      name.pop_back();
    }
    if (const auto star = name.find('*'); star != std::string::npos) {
      const auto* end = name.data() + name.size();
      if (std::from_chars(name.data() + star + 1, end, number).ptr != end || number < 0) number = 0;
      name.resize(star);
    }
    auto [entry, is_new] = by_name.try_emplace(name);
    if (is_new) order.push_back(name);
    // The first of a name counts, but name*= is better than name= beside it.
    auto [there, is_first] = entry->second.by_number.try_emplace(number, piece);
    if (!is_first && piece.is_extended && !there->second.is_extended) there->second = piece;
  }
  for (const std::string& name : order) result.entries.emplace_back(name, joined(by_name[name], charset));
  return result;
}

}  // namespace postroom::mail
