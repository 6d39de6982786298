#pragma once
// Address lists (RFC 5322, 3.4) as mail really writes them: never recursive, never trusting, bounded.

#include <string>
#include <string_view>
#include <vector>

#include "common/mail/message.hpp"

namespace postroom::mail {

constexpr std::size_t most_addresses = 2'000;  // of one header; the rest is not read

// Groups are flattened, comments dropped (or taken as the name where there is no other). The part in angle brackets
// wins over anything that looks like an address before it. An entry without a usable address keeps its name and an
// empty `addr`.
std::vector<Address> parse_addresses(std::string_view raw, const Charset& charset);
std::vector<Address> parse_addresses(std::string_view decoded);  // of text that is UTF-8 already

// Could be written to: one "@", no blanks or control bytes, a local part of 1–64 bytes, a domain of 1–255 with sound
// labels or a literal.
bool is_addr_spec(std::string_view text);

// For comparisons: local part and domain in lower-case ASCII. (Case of local parts matters in theory only.)
std::string canonical_address(std::string_view addr);

// Addresses that answer to nobody: mailer-daemon, postmaster, no-reply and their kin.
bool takes_no_answers(std::string_view addr);

// mailer-daemon or postmaster, with or without a detail behind a plus.
bool is_mail_server(std::string_view addr);

}  // namespace postroom::mail
