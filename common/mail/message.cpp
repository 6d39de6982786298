#include "common/mail/message.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/mail/address.hpp"

namespace postroom::mail {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view header(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& field : headers) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

bool has_header(const std::vector<Header>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const Header& field) { return equals_ignoring_case(field.name, name); });
}

bool has_null_sender(const Message& message) {
  if (!has_header(message.headers, "Return-Path")) return false;
  const std::string_view path = trimmed(header(message.headers, "Return-Path"));
  return path.starts_with('<') && path.ends_with('>') && path.size() > 1 && trimmed(path.substr(1, path.size() - 2)).empty();
}

Address sender_of(const Message& message) {
  const auto first_usable = [](const std::vector<Address>& list) {
    const auto found = std::find_if(list.begin(), list.end(), [](const Address& one) { return !one.addr.empty(); });
    return found == list.end() ? Address{} : *found;
  };
  if (Address found = first_usable(message.from); !found.addr.empty()) return found;
  if (Address found = first_usable(parse_addresses(header(message.headers, "Sender"))); !found.addr.empty())
    return found;
  if (Address found = first_usable(message.reply_to); !found.addr.empty()) return found;
  return first_usable(parse_addresses(header(message.headers, "Return-Path")));
}

}  // namespace postroom::mail
