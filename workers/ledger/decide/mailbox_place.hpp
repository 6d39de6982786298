#pragma once
// Where the mails of an inbox are: two inboxes in one place would bring each mail twice, whatever their connections are called.

#include <optional>
#include <string>
#include <string_view>

#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// "imaps://host:993/" → "host"
std::string_view host_of(std::string_view url);

// Host, port (none: the usual one, of whichever scheme) and account, as servers compare them.
std::string mailbox_place(std::string_view base_url, std::string_view account);

bool is_same_folder(std::string_view a, std::string_view b);

bool is_moving(const store::MailInboxRow& inbox);

// What is new of an inbox: only that is compared with the others, so that what stands in the way of each other can be mended one by one.
struct PlaceAsked {
  bool is_folder_new = true;
  bool is_target_new = true;  // where it moves its mails
};

// Another inbox there polls this folder, moves mails to it, or polls the one that mails are to be moved to. `state.account_inboxes` has those of
// the account.
std::optional<Problem> place_taken(const State& state, const store::ConnectionRow& connection, const store::MailInboxRow& inbox, PlaceAsked asked = {});

}  // namespace postroom::ledger
