#pragma once
// A header block cut into fields without copying it (RFC 5322, 2.2), as lenient as mail is in practice.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postroom::mail {

struct RawField {
  std::string_view name;
  std::string_view value;  // after the colon, with its folds
};

struct HeaderBlock {
  std::vector<RawField> fields;
  std::size_t byte_count = 0;  // of the block with the empty line that ends it: the body begins here
};

// Reads at most `most_fields`; the rest of the block is only measured. Lines end with LF or CRLF. A block that does not
// begin with a field has no fields and zero bytes: all of it is body.
HeaderBlock split_header_block(std::string_view text, std::size_t most_fields);

// What a line is to a block that has begun; `ahead` is the text after it. A line that is neither field nor fold is the
// wrapped end of the field before it when another field follows, else the body begins without an empty line.
enum class HeaderLine { field, continuation, end, body };
HeaderLine header_line(std::string_view line, std::string_view ahead);

// The next line without its end; `text` moves past it.
std::string_view take_line(std::string_view& text);

bool begins_like_a_field(std::string_view line);  // printable ASCII without blanks up to a colon

std::string unfolded(std::string_view raw);  // folds become one blank; trimmed

}  // namespace postroom::mail
