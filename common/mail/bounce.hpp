#pragma once
// Reports about mails that we sent: RFC 3464, and the mail servers that never read it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/message.hpp"

namespace postroom::mail {

enum class BounceAction { failed, delayed, delivered, relayed, expanded };

struct BouncedRecipient {
  std::string recipient;  // bare address
  std::string status;     // enhanced status code (RFC 3463) such as 5.1.1; empty when nothing of the kind was said
  BounceAction action = BounceAction::failed;
  std::string reason;  // the far server's words, one line, at most 500 bytes

  bool operator==(const BouncedRecipient&) const = default;
};

struct Bounce {
  BouncedRecipient first;             // the worst: failed before delayed before the others
  std::vector<BouncedRecipient> all;  // in the order of the report, at most 100
  std::string original_message_id;    // without angle brackets; empty: not told
};

std::string_view name_of(BounceAction action);

// X-Failed-Recipients, a null sender, mailer-daemon or postmaster: nobody writes so by hand.
bool comes_from_a_mail_server(const Message& message);

// None: this is no report about delivery. The parts of a report count in a mail that is one as a whole (multipart/report)
// or that a mail server wrote: people pass reports on, with words of their own. Read receipts (RFC 8098) and absence notes are none; nor is a mail that only
// its words make one (no delivery status, no X-Failed-Recipients) and that names no mail by its Message-ID: web forms,
// monitors and postmasters write like that about other things.
std::optional<Bounce> parse_bounce(const Message& message);

}  // namespace postroom::mail
