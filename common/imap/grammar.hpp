#pragma once
// The grammar of one response. Private to common/imap; the decoder feeds it.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/imap/reader.hpp"
#include "common/imap/response.hpp"

namespace postroom::imap {

// The text goes on in a literal that has to be received first. When it is a mail's body, `body` says whose.
struct LiteralWanted {
  std::uint64_t byte_count = 0;
  std::optional<BodyBegin> body;
};
struct Senseless {
  std::string what;
};
using Parsed = std::variant<Response, LiteralWanted, Senseless>;

// `text` ends in CRLF. When it ends in a literal's announcement, the answer is LiteralWanted; when the literal has been
// received, the text is extended by the line after it and parsed again from its beginning: one grammar, at the price of
// reading a line once per literal.
Parsed parse_response(std::string_view text, const std::vector<Literal>& literals, const Limits& limits);

// What grammar.cpp and grammar_fetch.cpp share. `begun` is set while a body's value is read.
Fetch read_fetch(Reader& reader, std::uint32_t sequence, std::optional<BodyBegin>& begun);

}  // namespace postroom::imap
