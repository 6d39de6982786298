#include "common/imap/grammar.hpp"

#include <fmt/format.h>

#include <limits>

#include "common/base/text.hpp"

namespace postroom::imap {

namespace {

constexpr std::uint64_t highest_mod_sequence = std::numeric_limits<std::int64_t>::max();

std::string to_upper(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<Condition> condition_named(std::string_view upper) {
  if (upper == "OK") return Condition::ok;
  if (upper == "NO") return Condition::no;
  if (upper == "BAD") return Condition::bad;
  if (upper == "BYE") return Condition::bye;
  if (upper == "PREAUTH") return Condition::preauth;
  return std::nullopt;
}

std::vector<std::string> words_of(std::string_view text, std::size_t limit) {
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty() && words.size() < limit) words.push_back(to_upper(word));
  }
  return words;
}

std::optional<ResponseCode::Copied> copied_of(std::string_view arguments, bool has_source, std::size_t limit) {
  const auto parts = split(arguments, ' ');
  if (parts.size() != (has_source ? 3u : 2u)) return std::nullopt;
  const auto validity = parse_number(parts[0], std::numeric_limits<std::uint32_t>::max());
  const auto source = has_source ? parse_uid_set(parts[1], limit) : UidSet{};
  const auto target = parse_uid_set(parts.back(), limit);
  if (!validity || !source || !target) return std::nullopt;
  return ResponseCode::Copied{static_cast<std::uint32_t>(*validity), *source, *target};
}

// The inside of [ … ].
ResponseCode code_of(std::string_view inside, const Limits& limits) {
  const auto space = inside.find(' ');
  ResponseCode code{.name = to_upper(inside.substr(0, space))};
  const std::string_view arguments =
      space == std::string_view::npos ? std::string_view{} : trimmed(inside.substr(space));
  if (code.name == "CAPABILITY") {
    code.words = words_of(arguments, limits.items);
  } else if (code.name == "PERMANENTFLAGS") {
    const std::vector<Literal> none;
    const std::string line = fmt::format("{}\r\n", arguments);
    Reader reader{line, none, limits};
    code.words = reader.word_list();
  } else if (code.name == "COPYUID" || code.name == "APPENDUID") {
    code.copied = copied_of(arguments, code.name == "COPYUID", limits.items);
  } else {
    code.number = parse_number(arguments, highest_mod_sequence);
  }
  return code;
}

// The end of a code: the first "]" outside quotes.
std::optional<std::size_t> code_end(std::string_view text) {
  bool is_quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      is_quoted = !is_quoted;
    } else if (text[at] == ']' && !is_quoted) {
      return at;
    }
  }
  return std::nullopt;
}

Status read_status(Reader& reader, std::string_view tag, Condition condition) {
  Status status{.tag = std::string{tag}, .condition = condition};
  reader.skip_spaces();
  std::string_view text = reader.rest();
  if (text.starts_with('[')) {
    if (const auto end = code_end(text)) {
      status.code = code_of(text.substr(1, *end - 1), reader.limits());
      text.remove_prefix(*end + 1);
    }
  }
  status.text = trimmed(text);
  return status;
}

Search read_search(Reader& reader) {
  Search search;
  reader.skip_spaces();
  while (!reader.at_end()) {
    if (reader.accept('(')) {  // CONDSTORE: (MODSEQ n)
      if (to_upper(reader.atom()) != "MODSEQ") reader.fail("SEARCH answers with something else than numbers");
      reader.skip_spaces();
      search.mod_sequence = reader.number(highest_mod_sequence);
      reader.expect(')');
    } else {
      search.numbers.push_back(reader.number32(false));
    }
    reader.skip_spaces();
  }
  return search;
}

Esearch read_esearch(Reader& reader) {
  Esearch answer;
  reader.skip_spaces();
  if (reader.accept('(')) {
    if (to_upper(reader.atom()) != "TAG") reader.fail("ESEARCH names no tag");
    reader.skip_spaces();
    answer.tag = reader.astring();
    reader.expect(')');
    reader.skip_spaces();
  }
  while (!reader.at_end()) {
    const std::string name = to_upper(reader.atom());
    reader.skip_spaces();
    if (name == "UID") {
      answer.is_uid = true;
    } else if (name == "MIN") {
      answer.lowest = reader.number32(false);
    } else if (name == "MAX") {
      answer.highest = reader.number32(false);
    } else if (name == "COUNT") {
      answer.count = reader.number32(true);
    } else if (name == "MODSEQ") {
      answer.mod_sequence = reader.number(highest_mod_sequence);
    } else if (name == "ALL") {
      const auto set = parse_uid_set(reader.atom(), reader.limits().line_bytes);
      if (!set) reader.fail("ESEARCH answers with something else than a set");
      answer.all = set.value_or(UidSet{});
    } else {
      reader.skip_value();
    }
    reader.skip_spaces();
  }
  return answer;
}

Vanished read_vanished(Reader& reader) {
  Vanished vanished;
  reader.skip_spaces();
  if (reader.accept('(')) {
    vanished.is_earlier = to_upper(reader.atom()) == "EARLIER";
    reader.expect(')');
    reader.skip_spaces();
  }
  const auto set = parse_uid_set(reader.atom(), reader.limits().line_bytes);
  if (!set) reader.fail("VANISHED names no set");
  vanished.uids = set.value_or(UidSet{});
  return vanished;
}

List read_list(Reader& reader) {
  List list;
  reader.skip_spaces();
  list.flags = reader.word_list();
  reader.skip_spaces();
  const Reader::String delimiter = reader.nstring();
  if (!delimiter.is_nil && delimiter.bytes.size() != 1) reader.fail("LIST names a delimiter that is not one byte");
  if (!delimiter.is_nil && delimiter.bytes.size() == 1) list.delimiter = delimiter.bytes[0];
  reader.skip_spaces();
  list.mailbox = reader.astring();
  reader.skip_spaces();
  while (!reader.at_end()) {  // extended data (RFC 5258)
    reader.skip_value();
    reader.skip_spaces();
  }
  return list;
}

Other read_other(Reader& reader, std::string keyword) {
  reader.skip_spaces();
  while (!reader.at_end()) {
    reader.skip_value();
    reader.skip_spaces();
  }
  return {std::move(keyword)};
}

Response read_numbered(Reader& reader, std::uint32_t number, std::optional<BodyBegin>& begun) {
  reader.skip_spaces();
  const std::string keyword = to_upper(reader.atom());
  if (keyword == "EXISTS") return Exists{number};
  if (keyword == "RECENT") return Recent{number};
  if ((keyword == "EXPUNGE" || keyword == "FETCH") && number == 0) reader.fail("a message has the number 0");
  if (keyword == "EXPUNGE") return Expunge{number};
  if (keyword == "FETCH") return read_fetch(reader, number, begun);
  return read_other(reader, keyword);
}

Response read_untagged(Reader& reader, std::optional<BodyBegin>& begun) {
  reader.skip_spaces();
  const std::string_view first = reader.atom();
  if (const auto number = parse_number(first, std::numeric_limits<std::uint32_t>::max())) {
    return read_numbered(reader, static_cast<std::uint32_t>(*number), begun);
  }
  const std::string keyword = to_upper(first);
  if (const auto condition = condition_named(keyword)) return read_status(reader, {}, *condition);
  if (keyword == "CAPABILITY") return Capability{words_of(reader.rest(), reader.limits().items)};
  if (keyword == "ENABLED") return Enabled{words_of(reader.rest(), reader.limits().items)};
  if (keyword == "SEARCH") return read_search(reader);
  if (keyword == "ESEARCH") return read_esearch(reader);
  if (keyword == "VANISHED") return read_vanished(reader);
  if (keyword == "LIST" || keyword == "LSUB" || keyword == "XLIST") return read_list(reader);
  if (keyword == "FLAGS") {
    reader.skip_spaces();
    return Flags{reader.word_list()};
  }
  return read_other(reader, keyword);
}

Response read_response(Reader& reader, std::optional<BodyBegin>& begun) {
  if (reader.accept('+')) return Continuation{std::string{trimmed(reader.rest())}};
  if (reader.accept('*')) {
    reader.expect(' ');
    return read_untagged(reader, begun);
  }
  const std::string_view tag = reader.atom();
  reader.expect(' ');
  const auto condition = condition_named(to_upper(reader.word()));
  if (!condition || *condition == Condition::bye || *condition == Condition::preauth) {
    reader.fail("the line is no IMAP response");
    return Other{};
  }
  return read_status(reader, tag, *condition);
}

}  // namespace

Parsed parse_response(std::string_view text, const std::vector<Literal>& literals, const Limits& limits) {
  Reader reader{text, literals, limits};
  std::optional<BodyBegin> begun;
  Response response = read_response(reader, begun);
  reader.skip_spaces();
  if (reader.stop() == Reader::Stop::literal_wanted) return LiteralWanted{reader.wanted_bytes(), std::move(begun)};
  if (reader.ok() && !reader.at_end()) reader.fail("more follows where the response should end");
  if (!reader.ok()) return Senseless{reader.what()};
  return response;
}

}  // namespace postroom::imap
