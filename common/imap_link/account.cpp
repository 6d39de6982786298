#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.hpp"
#include "common/imap_link/link.hpp"

namespace postroom::imap_link {

std::string_view name_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::refused_account:
      return "refused_account";
    case Trouble::unreachable:
      return "unreachable";
    case Trouble::blocked_address:
      return "blocked_address";
    case Trouble::certificate:
      return "certificate";
    case Trouble::no_encryption:
      return "no_encryption";
    case Trouble::credentials:
      return "credentials";
    case Trouble::server:
      return "server";
    case Trouble::timeout:
      return "timeout";
    case Trouble::protocol:
      return "protocol";
  }
  return "?";
}

Result<Place> parse_base_url(std::string_view base_url) {
  const auto wrong = [](std::string_view what) {
    return Error{Code::bad_message, fmt::format("the address must be imaps://host or imap://host, with :port when needed: {}", what)};
  };
  Place place;
  std::string_view rest = base_url;
  if (rest.starts_with("imaps://")) {
    place.is_tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("imap://")) {
    rest.remove_prefix(7);
  } else {
    return wrong("it begins otherwise");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t host_end = rest.starts_with('[') ? rest.find(']') : rest.find(':');
  if (rest.starts_with('[') && host_end == std::string_view::npos) return wrong("a bracket is missing");
  place.host = rest.substr(0, rest.starts_with('[') ? host_end + 1 : host_end);
  rest.remove_prefix(place.host.size());
  const auto is_fit = [&](char c) {
    const bool is_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    return is_name || (place.host.starts_with('[') && (c == ':' || c == '[' || c == ']'));
  };
  if (place.host.empty() || place.host.size() > 255) return wrong("it names no host");
  if (!std::ranges::all_of(place.host, is_fit)) return wrong("the host contains what no host does");
  place.port = place.is_tls ? 993 : 143;
  if (rest.empty()) return place;
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  if (rest.front() != ':' || failed != std::errc{} || end != rest.data() + rest.size() || port == 0 || port > 65'535)
    return wrong("there is no port number behind the host");
  place.port = static_cast<std::uint16_t>(port);
  return place;
}

}  // namespace postroom::imap_link
