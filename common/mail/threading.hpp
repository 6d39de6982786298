#pragma once
// Which conversation a mail belongs to: message ids, our own signed ones, and the ticket number in a subject.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/message.hpp"

namespace postroom::mail {

constexpr std::size_t most_references = 50;  // the last ones count
constexpr std::size_t longest_message_id = 998;

// The ids of a Message-ID, In-Reply-To or References field, without angle brackets, in order, each once; at most the
// last 50. Words that are no id ("Your message of Friday") are passed over. Linear in the field.
std::vector<std::string> parse_message_ids(std::string_view value);

// HMAC-SHA256 with the installation's key: 32 bytes. Handed in, so that this folder knows neither keys nor OpenSSL.
using Hmac = std::function<std::string(std::string_view data)>;

// The host part of all our Message-IDs: of the installation, so that it is the same whatever its addresses are.
std::string message_id_host(std::string_view installation_id);

struct SignedId {
  std::string ticket_id;
  std::string delivery_id;  // names the recipient: compare the sender with it before believing who writes

  bool operator==(const SignedId&) const = default;
};

// The id of a mail that we send, without angle brackets: <ticket>.<delivery>.<hmac>@<host>; the HMAC covers all but
// itself, 128 bits of it are kept. A stable function of its arguments: the same delivery repeated has the same id.
std::string signed_message_id(const SignedId& id, std::string_view host, const Hmac& hmac);

// The signed id in `message_id`, if its form, host and HMAC are ours; compared in constant time. It names a
// conversation; it never proves who the sender is.
std::optional<SignedId> verify_message_id(std::string_view message_id, std::string_view host, const Hmac& hmac);

// The first verified id among In-Reply-To, then References from the newest.
std::optional<SignedId> thread_of(const Message& message, std::string_view host, const Hmac& hmac);

// The number of the first "[#1234]" in a subject; 1 to 15 digits. Anyone can write one: valid only from a participant
// of that ticket.
std::optional<std::int64_t> ticket_number(std::string_view subject);

}  // namespace postroom::mail
