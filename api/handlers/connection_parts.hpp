#pragma once
// What creating and changing a connection have in common: judging the address and sealing the secret.

#include "api/handlers/command_plan.hpp"

namespace postroom::api {

// The far side's address without a slash at its end. Plain http is a flaw unless the configuration lists private addresses that may be
// called; which address is called in the end, the worker checks at its socket.
std::string base_url_of(Json url, const Settings& settings, std::vector<Flaw>& flaws);

}  // namespace postroom::api
