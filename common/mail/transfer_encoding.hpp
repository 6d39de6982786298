#pragma once
// The two content encodings of mail headers, decoded leniently: what is not of the alphabet is skipped or kept as it
// stands.

#include <string>
#include <string_view>

namespace postroom::mail {

std::string decode_base64(std::string_view text);   // RFC 2045; skips foreign bytes, needs no padding
std::string decode_q(std::string_view text);        // RFC 2047, 4.2: "_" is a blank
std::string decode_percent(std::string_view text);  // RFC 2231

}  // namespace postroom::mail
