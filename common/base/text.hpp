#pragma once
// Small, total functions on text.

#include <string>
#include <string_view>
#include <vector>

namespace postroom {

// The inside of a JSON string: quotes, backslashes and control bytes escaped; invalid UTF-8 becomes U+FFFD.
std::string json_escaped(std::string_view text);

bool is_valid_utf8(std::string_view text);
std::string to_valid_utf8(std::string_view text);  // invalid sequences become U+FFFD

// The longest prefix of at most `byte_count` bytes that does not cut a UTF-8 sequence.
std::string_view cut_utf8(std::string_view text, std::size_t byte_count);

// For text that leaves the house: CR LF and CR become LF, tabs blanks; other control characters, U+FFFE, U+FFFF and what is not UTF-8 (lone
// surrogates among it) are left out.
std::string plain_text(std::string_view text);
std::string on_one_line(std::string_view text);  // plain_text with every run of blanks and line ends as one blank, trimmed

// Length in UTF-16 code units, as Jira and Trello count. Expects valid UTF-8.
std::size_t utf16_length(std::string_view text);
std::string_view cut_utf16(std::string_view text, std::size_t unit_count);  // the longest prefix that does not cut a code point

bool has_control_bytes(std::string_view text);  // below 0x20, or 0x7f
std::string_view trimmed(std::string_view text);  // without spaces, tabs, CR and LF at both ends
std::string to_lower_ascii(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts

}  // namespace postroom
