#include "workers/ledger/decide/mailbox_place.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"

namespace postroom::ledger {

namespace {

// "imaps://host:993/" → "host:993"
std::string_view authority_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find('/'));
}

std::string_view port_of(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const std::string_view rest = authority.substr(host_of(url).size());
  const std::string_view port = rest.empty() ? rest : rest.substr(1);
  const bool is_usual = port == "993" || port == "143";
  return is_usual ? std::string_view{} : port;
}

// A host may be written with the dot of the root behind it.
std::string_view without_root(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

Problem taken(const AccountInbox& other, std::string_view does, const std::string& folder, std::string_view so, std::string pointer) {
  return {409, "folder-taken", "Another inbox has this folder",
          fmt::format("The inbox {} {} the folder {} of this mailbox already, by the connection {}: {}.", other.inbox.name, does, folder, other.connection.name, so),
          std::move(pointer)};
}

}  // namespace

// INBOX is the one name that servers know in any case (RFC 3501, 5.1).
bool is_same_folder(std::string_view a, std::string_view b) { return a == b || (to_lower_ascii(a) == "inbox" && to_lower_ascii(b) == "inbox"); }

bool is_moving(const store::MailInboxRow& inbox) { return inbox.after_import == messages::AfterImport::move && inbox.after_folder.has_value(); }

std::string_view host_of(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const auto port = authority.rfind(':');
  const bool is_port = port != std::string_view::npos && authority.find_first_not_of("0123456789", port + 1) == std::string_view::npos;
  return is_port ? authority.substr(0, port) : authority;
}

std::string mailbox_place(std::string_view base_url, std::string_view account) {
  return to_lower_ascii(fmt::format("{}:{} {}", without_root(host_of(base_url)), port_of(base_url), account));
}

std::optional<Problem> place_taken(const State& state, const store::ConnectionRow& connection, const store::MailInboxRow& inbox, PlaceAsked asked) {
  const std::string place = mailbox_place(connection.base_url, connection.account);
  for (const auto& other : state.account_inboxes) {
    const bool is_there = other.connection.id == connection.id || mailbox_place(other.connection.base_url, other.connection.account) == place;
    if (other.inbox.id == inbox.id || !is_there) continue;
    if (asked.is_folder_new && is_same_folder(other.inbox.folder, inbox.folder)) {
      return taken(other, "polls", other.inbox.folder, "each mail would come in twice", "/folder");
    }
    if (asked.is_folder_new && is_moving(other.inbox) && is_same_folder(*other.inbox.after_folder, inbox.folder)) {
      return taken(other, "moves its mails to", *other.inbox.after_folder, "each would come in once more", "/folder");
    }
    if (asked.is_target_new && is_moving(inbox) && is_same_folder(other.inbox.folder, *inbox.after_folder)) {
      return taken(other, "polls", other.inbox.folder, "each mail that is moved there would come in once more", "/after_folder");
    }
  }
  return std::nullopt;
}

}  // namespace postroom::ledger
