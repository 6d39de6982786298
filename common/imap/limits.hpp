#pragma once
// How much of a server's answer is believed: every size that a hostile server could choose has its bound here.

#include <cstddef>
#include <cstdint>

namespace postroom::imap {

struct Limits {
  std::size_t line_bytes = 64 * 1024;           // one response, without its literals
  std::uint64_t body_bytes = 64 * 1024 * 1024;  // a literal that is a mail's body: streamed, never kept
  std::size_t literal_bytes = 64 * 1024;        // any other literal: kept
  std::size_t kept_bytes = 256 * 1024;          // all kept literals of one response
  std::size_t literals = 32;                    // literals in one response, streamed ones too
  std::size_t depth = 32;                       // nested parentheses
  std::size_t items = 4096;                     // words of one list: flags, capabilities, ranges of a set
};

// A SEARCH answer is one line, however many mails there are: it is handed out in parts of this many bytes, so that it
// needs no limit.
inline constexpr std::size_t search_part_bytes = 16 * 1024;

}  // namespace postroom::imap
