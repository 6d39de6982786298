#pragma once
// Where the mails of an inbox are: two inboxes in one place would bring each mail twice, whatever their connections are called.

#include <string>
#include <string_view>

#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// "imaps://host:993/" → "host"
std::string_view host_of(std::string_view url);

// Host, port (none: the usual one, of whichever scheme) and account, as servers compare them.
std::string mailbox_place(std::string_view base_url, std::string_view account);

// Another inbox for this folder there; null: none. `state.account_inboxes` has those of the account.
const AccountInbox* twin_of(const State& state, const store::ConnectionRow& connection, const store::MailInboxRow& inbox);

Problem polled_already(const AccountInbox& twin, std::string pointer);

}  // namespace postroom::ledger
