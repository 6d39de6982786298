#pragma once
// A look at the raw bytes before any parser sees them: sizes, counts and depth within limits, known killers refused by
// name. Linear in the mail, allocates little, never recurses. It need not see the mail exactly as the parser will: the
// limits of the sandbox are the second wall.

#include <cstddef>
#include <string>
#include <string_view>

namespace postroom::mail {

struct Limits {
  std::size_t mail_bytes = 64 << 20;
  std::size_t header_block_bytes = 256 << 10;  // of the mail and of every mail inside it
  std::size_t header_count = 1'000;            // in one block
  std::size_t part_header_bytes = 64 << 10;
  std::size_t address_header_bytes = 64 << 10;  // one From, To, Cc …
  std::size_t address_count = 2'000;            // in one of them, by commas
  std::size_t group_count = 500;                // in one of them, by colons: GMime recurses on nested groups
  std::size_t comment_depth = 50;
  std::size_t parameter_count = 100;  // of one Content-Type or Content-Disposition
  std::size_t part_count = 1'000;
  std::size_t depth = 50;
};

struct Prescan {
  std::string refusal;           // why no parser may see this mail; empty: it may
  std::size_t start = 0;         // of the header: after an mbox "From " line and leading empty lines
  std::size_t header_bytes = 0;  // from start to the body; 0: the mail has no header at all
  std::size_t header_count = 0;
  std::size_t part_count = 0;
  std::size_t depth = 0;
  bool has_nul_in_header = false;

  bool is_acceptable() const { return refusal.empty(); }
};

Prescan prescan(std::string_view mail, const Limits& limits = {});

}  // namespace postroom::mail
