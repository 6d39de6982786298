#pragma once
// What one IMAP session is to do, and within which bounds.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/imap/limits.hpp"
#include "common/imap/uid_set.hpp"

namespace postroom::imap {

// Everything up to last_uid is known, as long as the mailbox keeps this UIDVALIDITY.
struct Cursor {
  std::uint32_t uid_validity = 0;
  Uid last_uid = 0;
  bool operator==(const Cursor&) const = default;
};

// Something to do to one mail on the server, after it was taken over. Refused when the mailbox is not the one that the
// mail came from, is read-only, or the server could only do it by removing other mails too (no UIDPLUS: a plain EXPUNGE
// is never sent).
struct Chore {
  enum class Verb {
    flag,   // argument: the flag to set, \Seen or a keyword
    move,   // argument: the mailbox to move it to, UTF-8; MOVE, else COPY, \Deleted and UID EXPUNGE
    erase,  // \Deleted and UID EXPUNGE
  };
  std::string id;  // the caller's name for it, given back with the outcome
  std::uint32_t uid_validity = 0;
  Uid uid = 0;
  Verb verb = Verb::flag;
  std::string argument;
};

struct Task {
  std::string mailbox = "INBOX";  // UTF-8
  bool is_read_only = false;      // EXAMINE; every chore is refused
  std::optional<Cursor> cursor;   // none: the first contact
  // At the first contact, and whenever the cursor turns out to be worth nothing, mails that the server received before
  // this are left alone.
  std::optional<WallTime> since;
  std::vector<Uid>
      skip;  // never asked for, reported unfetchable: mails that broke the conversation before (Failed::suspect)
  std::vector<Chore> chores;
  bool is_watching = true;                // false: log out as soon as everything is fetched
  bool expects_greeting = false;          // the transport has not read the greeting; it must be PREAUTH
  std::vector<std::string> capabilities;  // upper case; empty: asked for
};

struct Settings {
  using Millis = std::chrono::milliseconds;

  std::uint64_t size_limit = 50 * 1024 * 1024;  // bytes of one mail; above, only its header is fetched
  std::uint64_t header_limit = 256 * 1024;      // bytes of that header

  // With both counts 1, a conversation that breaks names the mail at which it does. Careful besides: one mail is begun, brought and
  // kept before the next one is, and none before on_noted: for when it may be us whom a mail breaks, who could not name it afterwards.
  bool is_careful = false;
  std::size_t measure_count = 500;                // mails in one command that asks for sizes
  std::size_t batch_count = 100;                  // mails in one command that asks for bodies
  std::uint64_t batch_bytes = 8 * 1024 * 1024;    // and their stated sizes together
  std::size_t window_count = 400;                 // mails that are asked for or reported and not yet kept
  std::uint64_t window_bytes = 64 * 1024 * 1024;  // and their bytes
  std::size_t listing_limit =
      100'000;                     // UIDs taken from one listing, lowest first; the rest is listed again afterwards
  std::size_t refusal_limit = 20;  // mails refused in a row: then the server is ill, not the mails

  bool uses_idle = true;
  Millis idle_renew{std::chrono::minutes{9}};  // below 29 minutes (RFC 2177) and what middle boxes forget
  Millis poll_interval{std::chrono::minutes{1}};
  Millis listing_pause{std::chrono::seconds{1}};  // after a listing that found nothing

  // An answer is due this long after the one before it. Bodies get the time that their bytes take at least_rate on top,
  // and not more however steadily they drip.
  Millis command_timeout{std::chrono::seconds{60}};
  Millis listing_timeout{std::chrono::minutes{6}};
  std::uint64_t least_rate = 16 * 1024;            // bytes per second
  std::uint64_t chatter_limit = 64 * 1024 * 1024;  // bytes apart from bodies between two answers to commands
  std::size_t malformed_limit = 1000;              // senseless lines in one session
};

}  // namespace postroom::imap
