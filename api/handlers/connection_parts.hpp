#pragma once
// What creating and changing a connection have in common: judging the address and sealing the secret.

#include "api/handlers/command_plan.hpp"

namespace postroom::api {

// The far side's address without a slash at its end. What is spoken there must fit the kind:
//   jira, trello  https://; plain http only where the configuration lists private addresses that may be called
//   imap          imaps://host[:993], or imap://host[:143] with STARTTLS
//   smtp          smtps://host[:465], or smtp://host[:587] with STARTTLS
// Which address is called in the end, the worker checks at its socket.
std::string base_url_of(Json url, messages::ConnectionKind kind, const Settings& settings, std::vector<Flaw>& flaws);

}  // namespace postroom::api
