#include "tests/unit/imap/describe.hpp"

#include <fmt/format.h>

namespace postroom::imap {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

std::string name_of(Condition condition) {
  switch (condition) {
    case Condition::ok:
      return "ok";
    case Condition::no:
      return "no";
    case Condition::bad:
      return "bad";
    case Condition::bye:
      return "bye";
    case Condition::preauth:
      return "preauth";
  }
  return "?";
}

std::string ranges(const UidSet& set) {
  std::string out;
  for (const UidRange& range : set) {
    out += fmt::format("{}{}", out.empty() ? "" : ",", range.first);
    if (range.last != range.first) out += fmt::format(":{}", range.last);
  }
  return out;
}

std::string describe_code(const ResponseCode& code) {
  if (code.name.empty()) return "";
  std::string out = " [" + code.name;
  if (code.number) out += fmt::format(" {}", *code.number);
  if (!code.words.empty()) out += fmt::format(" {}", fmt::join(code.words, "|"));
  if (code.copied)
    out +=
        fmt::format(" {} {}->{}", code.copied->uid_validity, ranges(code.copied->source), ranges(code.copied->target));
  return out + "]";
}

std::string describe_fetch(const Fetch& fetch) {
  std::string out = fmt::format("fetch {}", fetch.sequence);
  if (fetch.uid) out += fmt::format(" uid={}", *fetch.uid);
  if (fetch.size) out += fmt::format(" size={}", *fetch.size);
  if (fetch.received_at) out += fmt::format(" at={}", to_rfc3339(*fetch.received_at));
  if (fetch.mod_sequence) out += fmt::format(" modseq={}", *fetch.mod_sequence);
  if (fetch.flags) out += fmt::format(" flags={}", fmt::join(*fetch.flags, "|"));
  for (const Fetch::Body& body : fetch.bodies) {
    const char* form = body.form == Fetch::Body::Form::streamed ? "streamed"
                       : body.form == Fetch::Body::Form::nil    ? "nil"
                                                                : "quoted";
    out += fmt::format(" body[{}]={}:{}{}", body.section, form, body.byte_count,
                       body.quoted.empty() ? "" : ":" + body.quoted);
  }
  return out;
}

}  // namespace

std::string describe(const Response& response) {
  return std::visit(Overloaded{
                        [](const Status& r) {
                          return fmt::format("{} {}{}{}{}", r.tag.empty() ? "*" : r.tag, name_of(r.condition),
                                             describe_code(r.code), r.text.empty() ? "" : " ", r.text);
                        },
                        [](const Continuation& r) { return fmt::format("+ {}", r.text); },
                        [](const Capability& r) { return fmt::format("capability {}", fmt::join(r.words, "|")); },
                        [](const Enabled& r) { return fmt::format("enabled {}", fmt::join(r.words, "|")); },
                        [](const Flags& r) { return fmt::format("flags {}", fmt::join(r.flags, "|")); },
                        [](const Exists& r) { return fmt::format("exists {}", r.count); },
                        [](const Recent& r) { return fmt::format("recent {}", r.count); },
                        [](const Expunge& r) { return fmt::format("expunge {}", r.sequence); },
                        [](const Vanished& r) {
                          return fmt::format("vanished{} {}", r.is_earlier ? " earlier" : "", ranges(r.uids));
                        },
                        [](const Search& r) {
                          return fmt::format("search {}{}{}", fmt::join(r.numbers, ","),
                                             r.mod_sequence ? fmt::format(" modseq={}", *r.mod_sequence) : "",
                                             r.is_last ? "" : " …");
                        },
                        [](const Esearch& r) {
                          std::string out = fmt::format("esearch tag={} uid={}", r.tag, r.is_uid);
                          if (r.lowest) out += fmt::format(" min={}", *r.lowest);
                          if (r.highest) out += fmt::format(" max={}", *r.highest);
                          if (r.count) out += fmt::format(" count={}", *r.count);
                          if (!r.all.empty()) out += fmt::format(" all={}", ranges(r.all));
                          if (r.mod_sequence) out += fmt::format(" modseq={}", *r.mod_sequence);
                          return out;
                        },
                        [](const List& r) {
                          return fmt::format("list {} {} {}", fmt::join(r.flags, "|"),
                                             r.delimiter ? std::string{*r.delimiter} : "nil", r.mailbox);
                        },
                        [](const Fetch& r) { return describe_fetch(r); },
                        [](const Other& r) { return fmt::format("other {}", r.keyword); },
                        [](const Malformed&) { return std::string{"malformed"}; },
                        [](const BodyBegin& r) {
                          return fmt::format("begin {} uid={} [{}] {}", r.sequence,
                                             r.uid ? fmt::format("{}", *r.uid) : "?", r.section, r.byte_count);
                        },
                        [](const BodyChunk& r) { return fmt::format("chunk {}", r.bytes); },
                        [](const BodyEnd&) { return std::string{"end"}; },
                    },
                    response);
}

std::string decode_all(std::string_view bytes, const std::vector<std::size_t>& cuts, Limits limits) {
  Decoder decoder{limits};
  std::string out;
  std::string body;
  std::size_t at = 0;
  for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
    const std::size_t end = piece < cuts.size() ? cuts[piece] : bytes.size();
    std::string_view input = bytes.substr(at, end - at);
    at = end;
    while (true) {
      const auto response = decoder.next(input);
      if (!response) return out + "error " + response.error().what() + "\n";
      if (!*response) break;
      if (const auto* chunk = std::get_if<BodyChunk>(&**response)) {
        body += chunk->bytes;
        continue;
      }
      if (std::holds_alternative<BodyEnd>(**response)) out += "chunk " + std::exchange(body, {}) + "\n";
      out += describe(**response) + "\n";
    }
  }
  return out;
}

std::string decode_bytewise(std::string_view bytes, Limits limits) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1; at < bytes.size(); ++at) cuts.push_back(at);
  return decode_all(bytes, cuts, limits);
}

}  // namespace postroom::imap
