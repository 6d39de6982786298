#include "workers/ledger/decide/mailbox_place.hpp"

#include <fmt/format.h>

#include <algorithm>

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

// INBOX is the one name that servers know in any case (RFC 3501, 5.1).
bool is_same_folder(std::string_view a, std::string_view b) { return a == b || (to_lower_ascii(a) == "inbox" && to_lower_ascii(b) == "inbox"); }

}  // namespace

std::string_view host_of(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const auto port = authority.rfind(':');
  const bool is_port = port != std::string_view::npos && authority.find_first_not_of("0123456789", port + 1) == std::string_view::npos;
  return is_port ? authority.substr(0, port) : authority;
}

std::string mailbox_place(std::string_view base_url, std::string_view account) {
  return to_lower_ascii(fmt::format("{}:{} {}", host_of(base_url), port_of(base_url), account));
}

const AccountInbox* twin_of(const State& state, const store::ConnectionRow& connection, const store::MailInboxRow& inbox) {
  const std::string place = mailbox_place(connection.base_url, connection.account);
  const auto found = std::ranges::find_if(state.account_inboxes, [&](const AccountInbox& other) {
    if (other.inbox.id == inbox.id || !is_same_folder(other.inbox.folder, inbox.folder)) return false;
    return other.connection.id == connection.id || mailbox_place(other.connection.base_url, other.connection.account) == place;
  });
  return found == state.account_inboxes.end() ? nullptr : &*found;
}

Problem polled_already(const AccountInbox& twin, std::string pointer) {
  return {409, "folder-taken", "Polled already",
          fmt::format("The inbox {} polls the folder {} of this mailbox already, by the connection {}: each mail would come in twice.", twin.inbox.name,
                      twin.inbox.folder, twin.connection.name),
          std::move(pointer)};
}

}  // namespace postroom::ledger
