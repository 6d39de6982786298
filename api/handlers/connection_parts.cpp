#include "api/handlers/connection_parts.hpp"

namespace postroom::api {

namespace {

bool speaks(std::string_view url, std::string_view protocol) {
  return url.starts_with(fmt::format("{}://", protocol)) || url.starts_with(fmt::format("{}s://", protocol));
}

std::string_view complaint_about(std::string_view url, messages::ConnectionKind kind, const Settings& settings) {
  using enum messages::ConnectionKind;
  switch (kind) {
    case imap: return speaks(url, "imap") ? "" : "must be imaps://host[:port], or imap://host[:port] with STARTTLS, for a connection of kind imap";
    case smtp: return speaks(url, "smtp") ? "" : "must be smtps://host[:port], or smtp://host[:port] with STARTTLS, for a connection of kind smtp";
    case jira:
    case trello: break;
  }
  if (url.starts_with("https://") || (url.starts_with("http://") && settings.may_call_plain_http)) return "";
  return url.starts_with("http://") ? "must begin with https:// (plain http is for addresses that outbound.allow lists)"
                                    : "must begin with https:// for a connection of this kind";
}

}  // namespace

std::string base_url_of(Json url, messages::ConnectionKind kind, const Settings& settings, std::vector<Flaw>& flaws) {
  std::string_view text = url.string();
  if (const auto wrong = complaint_about(text, kind, settings); !wrong.empty()) flaws.push_back(in_body("/base_url", std::string{wrong}));
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string{text};
}

}  // namespace postroom::api
