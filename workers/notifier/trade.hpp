#pragma once
// The notifier's trade: its job types and their conversations.

#include "common/mail/threading.hpp"
#include "workers/runtime/trade.hpp"

namespace postroom::notifier {

constexpr std::string_view name = "notifier";

// `hmac`: with the installation's key for Message-IDs.
worker::Trade trade(mail::Hmac hmac);

}  // namespace postroom::notifier
