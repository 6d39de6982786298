#include <fmt/format.h>

#include <limits>

#include "common/base/text.hpp"
#include "common/imap/date.hpp"
#include "common/imap/grammar.hpp"

namespace postroom::imap {

namespace {

constexpr std::uint64_t highest_63_bit = std::numeric_limits<std::int64_t>::max();

// The section that a FETCH item carries: what stands in the brackets of BODY[…] or BINARY[…] (upper case, the <origin>
// left away), or the part that one of the old names means. Nothing: the item is no body.
std::optional<std::string> section_of(Reader& reader, const std::string& name) {
  if (name == "rfc822") return "";
  if (name == "rfc822.header") return "HEADER";
  if (name == "rfc822.text") return "TEXT";
  const auto bracket = name.find('[');
  if (bracket == std::string::npos) return std::nullopt;
  if (name.substr(0, bracket) != "body" && name.substr(0, bracket) != "binary") return std::nullopt;
  std::string section = name.substr(bracket + 1);
  if (!section.empty() && section.find(']') == std::string::npos) {  // HEADER.FIELDS (…) goes on after spaces
    section += reader.until(']');
    reader.accept(']');
    section += ']';
    reader.word();
  }
  section.erase(std::min(section.find(']'), section.size()));
  for (char& c : section) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return section;
}

void read_body(Reader& reader, std::string section, Fetch& fetch, std::optional<BodyBegin>& begun) {
  begun = BodyBegin{fetch.sequence, fetch.uid, section, 0};
  const Reader::String value = reader.nstring();
  if (!reader.ok()) return;  // when it wants a literal, `begun` says for whom
  begun.reset();
  Fetch::Body body{.section = std::move(section), .byte_count = value.byte_count};
  if (value.is_literal) {
    body.form = Fetch::Body::Form::streamed;
  } else if (!value.is_nil) {
    body.form = Fetch::Body::Form::quoted;
    body.quoted = value.bytes;
  }
  fetch.bodies.push_back(std::move(body));
}

void read_uid(Reader& reader, Fetch& fetch) {
  const Uid uid = reader.number32(false);
  if (fetch.uid && *fetch.uid != uid) reader.fail("a FETCH answer names two UIDs");
  fetch.uid = uid;
}

void read_item(Reader& reader, Fetch& fetch, std::optional<BodyBegin>& begun) {
  const std::string name = to_lower_ascii(reader.atom());
  const auto section = section_of(reader, name);
  reader.skip_spaces();
  if (section) {
    read_body(reader, *section, fetch, begun);
  } else if (name == "uid") {
    read_uid(reader, fetch);
  } else if (name == "flags") {
    fetch.flags = reader.word_list();
  } else if (name == "rfc822.size") {
    fetch.size = reader.number(highest_63_bit);
  } else if (name == "internaldate") {
    fetch.received_at = parse_internal_date(reader.nstring().bytes);
  } else if (name == "modseq") {
    reader.expect('(');
    fetch.mod_sequence = reader.number(highest_63_bit);
    reader.expect(')');
  } else {
    reader.skip_value();
  }
}

}  // namespace

Fetch read_fetch(Reader& reader, std::uint32_t sequence, std::optional<BodyBegin>& begun) {
  Fetch fetch{.sequence = sequence};
  reader.skip_spaces();
  reader.expect('(');
  reader.skip_spaces();
  while (reader.ok() && !reader.accept(')')) {
    read_item(reader, fetch, begun);
    reader.skip_spaces();
  }
  return fetch;
}

}  // namespace postroom::imap
