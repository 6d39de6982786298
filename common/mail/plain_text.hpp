#pragma once
// Text bodies as we keep them: UTF-8, lines ending with LF, no control bytes, and without case for comparisons.

#include <string>
#include <string_view>

namespace postroom::mail {

constexpr std::size_t longest_body_text =
    256 * 1024;  // bytes of a body that is carried on; the whole stays in the raw mail

// CRLF and CR become LF; other control bytes except tabs vanish; empty lines at both ends and blanks at the end are
// trimmed.
std::string normalised_text(std::string_view text);

// format=flowed (RFC 3676): soft line breaks are joined again; quoted and signature lines stay what they are.
std::string unflowed(std::string_view text, bool deletes_space);

// Lower case for ASCII, Latin, Greek and Cyrillic letters; everything else as it is. For comparisons, not for show.
std::string folded_case(std::string_view text);

// folded_case with each run of blanks as one, trimmed.
std::string comparable(std::string_view text);

}  // namespace postroom::mail
