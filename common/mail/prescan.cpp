#include "common/mail/prescan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "common/base/text.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/message.hpp"
#include "common/mail/parameters.hpp"

namespace postroom::mail {

namespace {

bool is_address_header(std::string_view name) {
  static constexpr std::array<std::string_view, 12> names = {
      "from",        "to",        "cc",        "bcc",        "sender",        "reply-to",
      "resent-from", "resent-to", "resent-cc", "resent-bcc", "resent-sender", "resent-reply-to"};
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return equals_ignoring_case(name, one); });
}

struct AddressCounts {
  std::size_t commas = 0;
  std::size_t colons = 0;
  std::size_t comment_depth = 0;
};

// Quotes are not honoured on purpose: an unclosed one would hide the rest from us, but perhaps not from the parser.
AddressCounts count_addresses(std::string_view value) {
  AddressCounts counts;
  std::size_t depth = 0;
  for (const char c : value) {
    if (c == ',') ++counts.commas;
    if (c == ':') ++counts.colons;
    if (c == '(') counts.comment_depth = std::max(counts.comment_depth, ++depth);
    if (c == ')' && depth > 0) --depth;
  }
  return counts;
}

std::string refused(std::string_view what, std::size_t found, std::size_t limit) {
  return fmt::format("{}: {}, allowed are {}", what, found, limit);
}

// Walks the mail line by line with the stack of open boundaries.
class Scanner {
 public:
  Scanner(std::string_view mail, const Limits& limits, Prescan& result)
      : mail_(mail), limits_(limits), result_(result) {}

  void run() {
    skip_envelope();
    const std::size_t block_bytes = read_block(mail_.substr(result_.start), limits_.header_block_bytes, true);
    if (!result_.is_acceptable()) return;
    result_.header_bytes = block_bytes;
    std::string_view rest = mail_.substr(result_.start + block_bytes);
    while (!rest.empty() && result_.is_acceptable()) read_body(rest);
  }

 private:
  void skip_envelope() {
    std::string_view rest = mail_;
    std::string_view ahead = rest;
    const std::string_view first = take_line(ahead);
    if (first.substr(0, 5) == "From " || first.substr(0, 6) == ">From ") rest = ahead;
    while (!rest.empty()) {
      ahead = rest;
      if (!take_line(ahead).empty()) break;
      rest = ahead;
    }
    if (begins_like_a_field(rest.substr(0, rest.find('\n')))) result_.start = mail_.size() - rest.size();
  }

  // Reads one header block and enters what it announces. Returns its length.
  std::size_t read_block(std::string_view text, std::size_t most_bytes, bool is_outermost) {
    is_message_ = false;
    std::string_view rest = text;
    std::size_t count = 0;
    std::string_view name;
    std::string_view value;
    bool has_content_type = false;
    std::optional<std::string> boundary;
    const auto finish_field = [&] {
      if (name.empty()) return;
      check_field(name, value, has_content_type, boundary);
      name = {};
    };
    while (!rest.empty() && result_.is_acceptable()) {
      std::string_view ahead = rest;
      const std::string_view line = take_line(ahead);
      const auto consumed = static_cast<std::size_t>(ahead.data() - text.data());
      if (line.size() > 1 && line.substr(0, 2) == "--" && !stack_.empty() && match(line))
        break;  // a part that is only a header
      const HeaderLine kind = header_line(line, ahead);
      if (kind == HeaderLine::body || (kind == HeaderLine::continuation && count == 0)) break;
      if (consumed > most_bytes) {
        refuse(refused("header block in bytes", consumed, most_bytes));
        break;
      }
      rest = ahead;
      if (kind == HeaderLine::end) break;
      if (kind == HeaderLine::continuation) {
        if (!name.empty()) value = {value.data(), static_cast<std::size_t>(line.data() + line.size() - value.data())};
        continue;
      }
      finish_field();
      if (++count > limits_.header_count) {
        refuse(refused("header fields", count, limits_.header_count));
        break;
      }
      const auto colon = line.find(':');
      name = trimmed(line.substr(0, colon));
      value = line.substr(colon + 1);
    }
    finish_field();
    const auto length = static_cast<std::size_t>(rest.data() - text.data());
    if (is_outermost) {
      if (count == 0) return 0;
      result_.header_count = count;
      result_.has_nul_in_header = text.substr(0, length).find('\0') != std::string_view::npos;
    }
    if (boundary && !boundary->empty()) enter(std::move(*boundary));
    return length;
  }

  void check_field(std::string_view name, std::string_view value, bool& has_content_type,
                   std::optional<std::string>& boundary) {
    if (is_address_header(name)) return check_addresses(name, value);
    const bool is_type = equals_ignoring_case(name, "content-type");
    if (!is_type && !equals_ignoring_case(name, "content-disposition")) return;
    const Parameters parsed =
        parse_parameters(value.substr(0, limits_.part_header_bytes),
                         [](std::string_view bytes, std::string_view) { return std::string{bytes}; });
    if (parsed.count > limits_.parameter_count)
      return refuse(refused("parameters of one field", parsed.count, limits_.parameter_count));
    if (!is_type || has_content_type) return;
    has_content_type = true;
    if (parsed.value.substr(0, 10) == "multipart/") {
      boundary = std::string{trimmed(parsed.get("boundary"))};
      // GMime makes up a boundary and then loops while it folds such names (jstedfast/gmime#165).
      if (boundary->empty() && parsed.has_foreign_names)
        refuse("a multipart without boundary whose Content-Type has a parameter name that is not ASCII");
    } else if (parsed.value == "message/rfc822" || parsed.value == "message/global" || parsed.value == "message/news") {
      is_message_ = true;
    }
  }

  void check_addresses(std::string_view name, std::string_view value) {
    const AddressCounts counts = count_addresses(value);
    if (value.size() > limits_.address_header_bytes) {
      refuse(refused(fmt::format("bytes in {}", name), value.size(), limits_.address_header_bytes));
    } else if (counts.commas >= limits_.address_count) {
      refuse(refused(fmt::format("addresses in {}", name), counts.commas + 1, limits_.address_count));
    } else if (counts.colons > limits_.group_count) {
      refuse(refused(fmt::format("address groups in {}", name), counts.colons, limits_.group_count));
    } else if (counts.comment_depth > limits_.comment_depth) {
      refuse(refused(fmt::format("nested comments in {}", name), counts.comment_depth, limits_.comment_depth));
    }
  }

  void enter(std::string boundary) {
    stack_.push_back(std::move(boundary));
    measure_depth();
  }

  void measure_depth() {
    const std::size_t depth = stack_.size() + message_depth_;
    result_.depth = std::max(result_.depth, depth);
    if (depth > limits_.depth) refuse(refused("nesting", depth, limits_.depth));
  }

  struct Match {
    std::size_t level;
    bool is_closing;
  };

  // Whether a line is the delimiter of an open boundary, innermost first (RFC 2046, 5.1.1).
  std::optional<Match> match(std::string_view line) const {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    line.remove_prefix(std::min<std::size_t>(2, line.size()));
    for (std::size_t level = stack_.size(); level-- > 0;) {
      const std::string& boundary = stack_[level];
      if (line.size() < boundary.size() || std::memcmp(line.data(), boundary.data(), boundary.size()) != 0) continue;
      if (line.size() == boundary.size()) return Match{level, false};
      if (line.substr(boundary.size()) == "--") return Match{level, true};
    }
    return std::nullopt;
  }

  // Up to and including the next delimiter and the header block that follows it.
  void read_body(std::string_view& rest) {
    if (is_message_) {  // the body is a mail: its header comes at once
      ++message_depth_;
      measure_depth();
      if (result_.is_acceptable()) rest.remove_prefix(read_block(rest, limits_.header_block_bytes, false));
      return;
    }
    message_depth_ = std::min(message_depth_, stack_.size());
    while (!rest.empty()) {
      if (stack_.empty()) {  // nothing more can begin
        rest = {};
        return;
      }
      const std::string_view line = take_line(rest);
      if (line.size() < 3 || line[0] != '-' || line[1] != '-') continue;
      const auto found = match(line);
      if (!found) continue;
      stack_.resize(found->is_closing ? found->level : found->level + 1);
      if (found->is_closing) continue;
      if (++result_.part_count > limits_.part_count)
        return refuse(refused("parts", result_.part_count, limits_.part_count));
      rest.remove_prefix(read_block(rest, limits_.part_header_bytes, false));
      return;
    }
  }

  void refuse(std::string why) {
    if (result_.refusal.empty()) result_.refusal = std::move(why);
  }

  std::string_view mail_;
  const Limits& limits_;
  Prescan& result_;
  std::vector<std::string> stack_;
  std::size_t message_depth_ = 0;
  bool is_message_ = false;
};

}  // namespace

Prescan prescan(std::string_view mail, const Limits& limits) {
  Prescan result;
  if (mail.size() > limits.mail_bytes) {
    result.refusal = refused("bytes", mail.size(), limits.mail_bytes);
    return result;
  }
  Scanner{mail, limits, result}.run();
  return result;
}

}  // namespace postroom::mail
