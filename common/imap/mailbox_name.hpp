#pragma once
// Mailbox names on the wire: modified UTF-7 (RFC 3501, 5.1.3), which every IMAP4rev1 server speaks.

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace postroom::imap {

// From UTF-8. bad_message: empty, more than 1,000 bytes encoded, invalid UTF-8, or control bytes.
Result<std::string> encode_mailbox_name(std::string_view utf8);

// To UTF-8. bad_message for anything that encode_mailbox_name would not have written: such a name could not be sent
// back to the server.
Result<std::string> decode_mailbox_name(std::string_view wire);

}  // namespace postroom::imap
