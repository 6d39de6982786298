#pragma once
// Header text as people read it: unfolded, RFC 2047 words decoded (also the broken ones that clients send), without
// control bytes.

#include <string>
#include <string_view>

#include "common/mail/message.hpp"

namespace postroom::mail {

constexpr std::size_t longest_header_text = 64 * 1024;  // bytes of the result; cut beyond

// `raw` may hold folds and raw 8-bit bytes (then the charset is guessed). Words of one charset that follow each other
// are joined before they are converted, because some clients cut a character in two.
std::string decode_header(std::string_view raw, const Charset& charset);

std::string without_control_bytes(std::string_view text);  // each run becomes one blank; trimmed

}  // namespace postroom::mail
