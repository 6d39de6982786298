#include "api/formats.hpp"

#include <algorithm>
#include <array>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_eight_bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

bool is_domain_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || is_eight_bit(c); });
}

bool is_atom_byte(char c) { return is_alphanumeric(c) || is_eight_bit(c) || std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos; }

bool is_port(std::string_view digits) {
  int number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9' || number > 65'535) return false;
    number = number * 10 + (c - '0');
  }
  return number >= 1 && number <= 65'535;
}

bool is_trello_id(std::string_view text) {
  return text.size() == 24 && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

// Text of several lines with something to see in it.
bool is_visible(std::string_view text) {
  return !trimmed(text).empty() && std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
  });
}

bool is_jira_project_key(std::string_view text) {
  return text.size() >= 2 && text.front() >= 'A' && text.front() <= 'Z' &&
         std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
}

struct Format {
  std::string_view name;
  bool (*holds)(std::string_view);
  std::string_view complaint;
};

constexpr std::array formats{
    Format{"email", is_email, "must be an e-mail address like name@example.org"},
    Format{"uuid", is_uuid, "must be a UUID"},
    Format{"uri", is_base_url, "must be an address like https://example.org, without user, query and fragment"},
    Format{"connection-url", is_connection_url,
           "must be an address like https://example.org, imaps://mail.example.org or smtp://mail.example.org:587, without user, query and fragment"},
    Format{"mail-folder", is_mail_folder, "must be a folder's name of at most 255 bytes: one line, no blanks at its ends, no * and no %"},
    Format{"since", is_since, "must be \"all\" or a time like 2026-11-20T10:00:00Z"},
    Format{"visible", is_visible, "must not be blank, and without control characters but line ends and tabs"},
    Format{"single-line", is_single_line, "must be one line of text that is not blank, without control characters"},
    Format{"trello-id", is_trello_id, "must be a Trello id: 24 hexadecimal digits"},
    Format{"jira-project-key", is_jira_project_key, "must be a Jira project key: capital letters, digits and _, at least two"},
};

}  // namespace

std::optional<std::string_view> complaint(std::string_view format, std::string_view text) {
  const auto found = std::ranges::find(formats, format, &Format::name);
  if (found == formats.end() || found->holds(text)) return std::nullopt;
  return found->complaint;
}

bool is_known_format(std::string_view format) { return std::ranges::find(formats, format, &Format::name) != formats.end(); }

bool is_email(std::string_view text) {
  const auto at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64) return false;
  for (const auto atom : split(text.substr(0, at), '.')) {
    if (atom.empty() || !std::ranges::all_of(atom, is_atom_byte)) return false;
  }
  const auto labels = split(text.substr(at + 1), '.');
  return labels.size() >= 2 && std::ranges::all_of(labels, is_domain_label);
}

bool is_base_url(std::string_view text) {
  if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; })) return false;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return false;
  }
  if (text.find_first_of("?#@\\\"<>") != std::string_view::npos) return false;
  const auto authority = rest.substr(0, rest.find('/'));
  if (authority.starts_with('[')) return authority.find(']') != std::string_view::npos;
  const auto host = authority.substr(0, authority.find(':'));
  const auto port = authority.size() > host.size() ? authority.substr(host.size() + 1) : std::string_view{"1"};
  return is_port(port) && !host.empty() && host.size() <= 253 && std::ranges::all_of(split(host, '.'), is_domain_label);
}

bool is_authority(std::string_view text) {
  std::string_view after_host;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    const auto address = end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
    if (address.size() < 2 || address.size() > 45 || address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    after_host = text.substr(end + 1);
  } else {
    const auto host = text.substr(0, text.find(':'));
    if (host.size() > 253 || !std::ranges::all_of(split(host, '.'), is_domain_label)) return false;
    after_host = text.substr(host.size());
  }
  return after_host.empty() || (after_host.front() == ':' && is_port(after_host.substr(1)));
}

bool is_connection_url(std::string_view text) {
  for (const std::string_view scheme : {"imap://", "imaps://", "smtp://", "smtps://"}) {
    if (!text.starts_with(scheme)) continue;
    auto rest = text.substr(scheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    return std::ranges::all_of(rest, [](char c) { return c > 0x20 && c < 0x7f; }) && is_authority(rest);
  }
  return is_base_url(text);
}

bool is_mail_folder(std::string_view text) {
  return text.size() <= 255 && is_single_line(text) && trimmed(text).size() == text.size() && text.find_first_of("*%") == std::string_view::npos;
}

bool is_since(std::string_view text) { return text == "all" || from_rfc3339(text).ok(); }

bool is_single_line(std::string_view text) {
  if (has_control_bytes(text) || trimmed(text).empty()) return false;
  // C1 controls, line and paragraph separators, in UTF-8.
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const auto first = static_cast<unsigned char>(text[at]), second = static_cast<unsigned char>(text[at + 1]);
    if (first == 0xc2 && second < 0xa0) return false;
    if (first == 0xe2 && second == 0x80 && at + 2 < text.size() && (text[at + 2] == '\xa8' || text[at + 2] == '\xa9')) return false;
  }
  return true;
}

}  // namespace postroom::api
