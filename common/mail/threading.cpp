#include "common/mail/threading.hpp"

#include <algorithm>
#include <unordered_set>

#include "common/base/ids.hpp"
#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"
#include "common/mail/header_block.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t signature_bytes = 16;

bool is_message_id(std::string_view text) {
  return !text.empty() && text.size() <= longest_message_id &&
         text.find_first_of("<> \t\r\n") == std::string_view::npos && !has_control_bytes(text);
}

std::string hex(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::string signature(const SignedId& id, std::string_view host, const Hmac& hmac) {
  const std::string data = "postroom message id\n" + id.ticket_id + "\n" + id.delivery_id + "\n" + to_lower_ascii(host);
  return hex(std::string_view{hmac(data)}.substr(0, signature_bytes));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace

std::vector<std::string> parse_message_ids(std::string_view value) {
  std::vector<std::string> found;
  const auto keep = [&](std::string_view id) {
    if (is_message_id(id)) found.emplace_back(id);
  };
  // Folds inside an id are repaired by dropping blanks between its brackets.
  std::string without_folds;
  for (std::size_t at = 0; at < value.size();) {
    if (value[at] == '<') {
      const auto end = value.find_first_of("<>", at + 1);
      if (end == std::string_view::npos) {
        keep(trimmed(value.substr(at + 1)));
        break;
      }
      without_folds.clear();
      for (const char c : value.substr(at + 1, end - at - 1)) {
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') without_folds.push_back(c);
      }
      keep(without_folds);
      at = value[end] == '<' ? end : end + 1;
    } else {
      const auto end = std::min(value.find_first_of("< \t\r\n,;", at), value.size());
      const std::string_view word = value.substr(at, end - at);
      if (word.find('@') != std::string_view::npos) keep(word);  // an id without its brackets
      at = end < value.size() && value[end] != '<' ? end + 1 : end;
    }
  }
  if (found.size() > most_references) found.erase(found.begin(), found.end() - most_references);
  std::vector<std::string> once;
  std::unordered_set<std::string_view> seen;
  for (const std::string& id : found) {
    if (seen.insert(id).second) once.push_back(id);
  }
  return once;
}

std::string message_id_host(std::string_view installation_id) {
  return std::string{installation_id} + ".postroom";
}

std::string signed_message_id(const SignedId& id, std::string_view host, const Hmac& hmac) {
  return id.ticket_id + "." + id.delivery_id + "." + signature(id, host, hmac) + "@" + to_lower_ascii(host);
}

std::optional<SignedId> verify_message_id(std::string_view message_id, std::string_view host, const Hmac& hmac) {
  const auto at = message_id.rfind('@');
  if (at == std::string_view::npos || !equals_ignoring_case(message_id.substr(at + 1), host)) return std::nullopt;
  const auto parts = split(message_id.substr(0, at), '.');
  if (parts.size() != 3 || !is_uuid(parts[0]) || !is_uuid(parts[1]) || parts[2].size() != 2 * signature_bytes)
    return std::nullopt;
  SignedId id{to_lower_ascii(parts[0]), to_lower_ascii(parts[1])};
  if (!saboteur("signature_unchecked") && !equal_in_constant_time(signature(id, host, hmac), to_lower_ascii(parts[2]))) return std::nullopt;
  return id;
}

std::optional<SignedId> thread_of(const Message& message, std::string_view host, const Hmac& hmac) {
  for (const std::string& id : message.in_reply_to) {
    if (auto found = verify_message_id(id, host, hmac)) return found;
  }
  for (auto id = message.references.rbegin(); id != message.references.rend(); ++id) {
    if (auto found = verify_message_id(*id, host, hmac)) return found;
  }
  return std::nullopt;
}

std::optional<std::int64_t> ticket_number(std::string_view subject) {
  for (auto at = subject.find("[#"); at != std::string_view::npos; at = subject.find("[#", at + 2)) {
    const auto end = subject.find(']', at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view digits = subject.substr(at + 2, end - at - 2);
    if (digits.empty() || digits.size() > 15 || digits.find_first_not_of("0123456789") != std::string_view::npos)
      continue;
    std::int64_t number = 0;
    for (const char c : digits) number = number * 10 + (c - '0');
    return number;
  }
  return std::nullopt;
}

}  // namespace postroom::mail
