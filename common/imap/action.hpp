#pragma once
// What the engine wants done, in this order.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/imap/task.hpp"

namespace postroom::imap {

// To the transport.
struct Send {
  std::string bytes;
};
struct WakeAt {  // call on_time then; replaces the one before
  SteadyTime at;
};

// About the mailbox.
struct Selected {
  std::uint32_t uid_validity = 0;
  std::optional<std::uint32_t> uid_next;
  std::uint32_t exists = 0;
  std::optional<std::uint64_t> highest_mod_sequence;
  bool is_read_only = false;
};
struct ValidityChanged {  // the cursor is worth nothing: the whole mailbox is listed again, what is already there must
                          // be found by content
  std::uint32_t before = 0;
  std::uint32_t now = 0;
};
struct CursorReset {  // the same under the same UIDVALIDITY: the server's UIDs fell
  std::string why;
};
struct Notice {  // for the log: the server's [ALERT], a line without sense
  std::string text;
};

// About mails: MailBegin, MailChunk…, then MailEnd or MailDropped; or MailMissing by itself. One mail at a time, in the
// server's order.
struct MailBegin {
  std::optional<Uid> uid;  // when the server told it already
  std::uint64_t byte_count = 0;
};
struct MailChunk {
  std::string_view bytes;  // lives until the next call of the engine and as long as its input
};
struct MailEnd {
  enum class Extent { whole, header_only };  // header_only: the mail is above the size limit
  Uid uid = 0;
  std::uint64_t byte_count = 0;   // that were handed out
  std::uint64_t stated_size = 0;  // RFC822.SIZE: of the whole mail, often an estimate
  std::optional<WallTime> received_at;
  std::vector<std::string> flags;
  Extent extent = Extent::whole;
};
struct MailDropped {};  // what came since MailBegin belongs to no mail that was asked for: throw it away
struct MailMissing {
  enum class Why {
    gone,         // somebody else removed it
    unfetchable,  // it is there, and the server does not give it
    skipped,      // the task says so
  };
  Uid uid = 0;
  Why why = Why::gone;
  std::string text;  // what the server said
};
struct Asking {  // of a careful session: this mail is to be asked for, as soon as on_noted says that it is written down
  Uid uid = 0;
};
struct Progress {  // every mail up to the cursor is reported: keep them, then call on_kept
  Cursor cursor;
  std::size_t older_count = 0;  // left alone because of Task::since, since the last progress
};
struct CaughtUp {  // and nothing newer is there
  Cursor cursor;
};

struct ChoreDone {
  enum class Outcome { done, refused, failed };  // refused: not sent to the server; failed: the server's answer
  std::string id;
  Outcome outcome = Outcome::done;
  std::string text;
};

// The end, once, as the last action.
struct Done {};  // logged out; close the connection
struct Failed {  // close the connection
  Error error;
  std::optional<Uid>
      suspect;  // the mail that was being asked for; several sessions that die at the same one: put it into Task::skip
};

using Action = std::variant<Send, WakeAt, Selected, ValidityChanged, CursorReset, Notice, MailBegin, MailChunk, MailEnd,
                            MailDropped, MailMissing, Asking, Progress, CaughtUp, ChoreDone, Done, Failed>;
using Actions = std::vector<Action>;

}  // namespace postroom::imap
