#pragma once
// The part of an SMTP request that is the same for a mail and for a trial.

#include <string>

#include "common/messages/connection.hpp"
#include "common/smtp/exchange.hpp"

namespace postroom::notifier {

// Without recipients: a trial. An account that is empty means: no login.
smtp::Request request_to(const messages::Site& site, std::string secret, std::string sender);

}  // namespace postroom::notifier
