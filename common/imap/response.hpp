#pragma once
// What an IMAP server can say, as values (RFC 3501 and 9051, section 7; UIDPLUS, CONDSTORE, QRESYNC, ESEARCH).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/imap/uid_set.hpp"

namespace postroom::imap {

enum class Condition { ok, no, bad, bye, preauth };

// [UIDVALIDITY 7] and its kind. What a known code should carry but does not is simply absent: a code is advice, never a
// reason to hang up.
struct ResponseCode {
  std::string name;                     // upper case; empty: the response has no code
  std::optional<std::uint64_t> number;  // UIDVALIDITY, UIDNEXT, UNSEEN, HIGHESTMODSEQ
  std::vector<std::string> words;       // CAPABILITY, PERMANENTFLAGS
  struct Copied {
    std::uint32_t uid_validity = 0;  // of the target mailbox
    UidSet source;                   // empty for APPENDUID
    UidSet target;
  };
  std::optional<Copied> copied;  // COPYUID, APPENDUID
};

struct Status {
  std::string tag;  // empty: untagged
  Condition condition = Condition::ok;
  ResponseCode code;
  std::string text;  // for people, as the server sent it
};

struct Continuation {
  std::string text;
};
struct Capability {
  std::vector<std::string> words;  // upper case
};
struct Enabled {
  std::vector<std::string> words;  // upper case
};
struct Flags {
  std::vector<std::string> flags;
};
struct Exists {
  std::uint32_t count = 0;
};
struct Recent {
  std::uint32_t count = 0;
};
struct Expunge {
  std::uint32_t sequence = 0;
};
struct Vanished {
  bool is_earlier = false;
  UidSet uids;
};
struct Search {
  std::vector<std::uint32_t> numbers;  // in the server's order
  std::optional<std::uint64_t> mod_sequence;
  bool is_last = true;  // false: more of the same answer follows
};
struct Esearch {
  std::string tag;  // of the command it answers; empty when not told
  bool is_uid = false;
  std::optional<std::uint32_t> lowest, highest, count;
  UidSet all;
  std::optional<std::uint64_t> mod_sequence;
};
struct List {
  std::vector<std::string> flags;
  std::optional<char> delimiter;
  std::string mailbox;  // as on the wire: decode_mailbox_name makes it readable
};
struct Fetch {
  std::uint32_t sequence = 0;
  std::optional<Uid> uid;
  std::optional<std::uint64_t> size;    // RFC822.SIZE: many servers only estimate it
  std::optional<WallTime> received_at;  // INTERNALDATE
  std::optional<std::uint64_t> mod_sequence;
  std::optional<std::vector<std::string>> flags;
  struct Body {
    std::string section;  // "" for BODY[], else as in BODY[…], upper case: HEADER, 1.MIME
    enum class Form { streamed, quoted, nil } form = Form::nil;
    std::string quoted;  // for Form::quoted; streamed bodies came as BodyBegin, BodyChunk…, BodyEnd
    std::uint64_t byte_count = 0;
  };
  std::vector<Body> bodies;
};
struct Other {  // anything well-formed that is not listed here
  std::string keyword;
};
struct Malformed {  // an untagged line that makes no sense; the lines after it are trusted, since it could not contain
                    // a literal
  std::string what;
};

// A mail's body comes before the response around it is complete, so that it never has to be kept.
struct BodyBegin {
  std::uint32_t sequence = 0;
  std::optional<Uid> uid;  // when the server told it before the body
  std::string section;
  std::uint64_t byte_count = 0;
};
struct BodyChunk {
  std::string_view bytes;  // lives as long as the input it came from
};
struct BodyEnd {};

using Response = std::variant<Status, Continuation, Capability, Enabled, Flags, Exists, Recent, Expunge, Vanished,
                              Search, Esearch, List, Fetch, Other, Malformed, BodyBegin, BodyChunk, BodyEnd>;

}  // namespace postroom::imap
