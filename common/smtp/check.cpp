#include "common/smtp/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"

namespace postroom::smtp {

namespace {

constexpr std::size_t longest_line = 998;
constexpr std::size_t most_recipients = 100;

Error refused(std::string what) { return Error{Code::bad_message, std::move(what)}; }

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

Result<void> check_content(std::string_view content) {
  if (saboteur("smuggled_mail_sent")) return {};
  if (!content.ends_with("\r\n")) return refused("the mail's last line has no end");
  for (std::size_t at = 0; at < content.size();) {
    const auto end = content.find_first_of(std::string_view{"\r\n\0", 3}, at);
    if (content.substr(end, 2) != "\r\n") return refused("the mail contains a bare line end or a zero byte");
    if (end - at > longest_line) return refused(fmt::format("the mail contains a line of more than {} bytes", longest_line));
    at = end + 2;
  }
  return {};
}

}  // namespace

Result<Server> parse_server(std::string_view url) {
  Server server;
  server.is_tls = url.starts_with("smtps://");
  if (!server.is_tls && !url.starts_with("smtp://")) return refused("the server's address must begin with smtps:// or smtp://");
  if (!is_visible_ascii(url)) return refused("the server's address contains blanks, control bytes or bytes outside ASCII");
  std::string_view authority = url.substr(url.find("//") + 2);
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find_first_of("@\\") != std::string_view::npos) return refused("the server's address must not contain a user name");
  if (authority.find_first_of("/?#%") != std::string_view::npos) return refused("the server's address is only a host and a port");
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', authority.starts_with('[') && bracket != std::string_view::npos ? bracket : 0);
  server.host = authority.substr(0, colon);
  if (server.host.empty()) return refused("the server's address names no host");
  server.port = server.is_tls ? 465 : 587;
  if (colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), server.port);
    const bool is_port = failed == std::errc{} && end == digits.data() + digits.size() && server.port > 0 && server.port <= 65'535;
    if (!is_port) return refused("the server's port is not a number from 1 to 65535");
  }
  return server;
}

bool is_safe_address(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size() || address.size() > 320) return false;
  return !has_control_bytes(address) && is_valid_utf8(address) && address.find_first_of(" <>()[]\\,;:\"") == std::string_view::npos;
}

Result<void> check(const Request& request) {
  if (const auto server = parse_server(request.url); !server) return server.error();
  const std::string_view name = request.greeting_name;
  if (name.empty() || name.size() > 255 || !is_visible_ascii(name)) return refused("the name for the greeting is not a host name");
  if (request.login && (has_control_bytes(request.login->user) || has_control_bytes(request.login->password))) {
    return refused("the account or its password contains control bytes");
  }
  if (!request.sender.empty() && !is_safe_address(request.sender)) return refused("the sender's address cannot be used");
  if (request.recipients.size() > most_recipients) return refused(fmt::format("more than {} recipients", most_recipients));
  if (!std::ranges::all_of(request.recipients, is_safe_address)) return refused("the recipient's address cannot be used");
  if (request.recipients.empty()) return {};
  return check_content(request.content);
}

}  // namespace postroom::smtp
