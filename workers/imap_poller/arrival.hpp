#pragma once
// The names of a mail's arrival: made from what it is, so that whoever fetches it again tells of the same arrival.

#include <fmt/format.h>

#include <string>

#include "common/crypto/crypto.hpp"
#include "common/messages/mail.hpp"

namespace postroom::imap_poller {

// Also the message id and the correlation id of mail.arrived.
inline std::string arrival_id_of(const messages::MailArrived& mail) {
  return crypto::uuid_v5(mail.inbox_id, {fmt::format("{}", mail.uid_validity), fmt::format("{}", mail.uid)});
}

// Promised: the ticket that the mail may become.
inline std::string ticket_id_of(const std::string& arrival_id) { return crypto::uuid_v5(arrival_id, {"ticket"}); }

}  // namespace postroom::imap_poller
