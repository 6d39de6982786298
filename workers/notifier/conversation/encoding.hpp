#pragma once
// Text into the forms that a mail may carry: header words (RFC 2047), bodies (RFC 2045), HTML. Every output line ends in CR LF or is part of one,
// and is far below 998 bytes. The opposite of common/mail's decoders.

#include <string>
#include <string_view>

namespace postroom::notifier {

// A whole field with its line end: control bytes of the value are left out, lines are folded at blanks where there are any.
std::string field(std::string_view name, std::string_view value);

// Unstructured text, as it is where it is plain ASCII, else as UTF-8 encoded-words of at most 75 characters.
std::string header_text(std::string_view text);

// "name <address>", or the bare address when there is no name.
std::string mailbox(std::string_view name, std::string_view address);

// A body part's own fields and its content: quoted-printable, or base64 where that is shorter. `text` has LF line ends.
std::string text_part(std::string_view content_type, std::string_view text);
std::string quoted_printable(std::string_view text);
std::string base64_lines(std::string_view bytes);

// Nothing in it is markup; line ends become <br>, runs of blanks stay.
std::string html_escaped(std::string_view text);

}  // namespace postroom::notifier
