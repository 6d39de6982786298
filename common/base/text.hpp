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

bool has_control_bytes(std::string_view text);  // below 0x20, or 0x7f
std::string_view trimmed(std::string_view text);  // without spaces, tabs, CR and LF at both ends
std::string to_lower_ascii(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts

}  // namespace postroom
