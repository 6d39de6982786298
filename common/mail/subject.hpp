#pragma once
// Subjects: the prefixes that clients put before them, and the title of a ticket.

#include <string>
#include <string_view>

namespace postroom::mail {

struct SubjectParts {
  std::string_view rest;    // without prefixes
  bool is_reply = false;    // Re:, AW:, SV: …
  bool is_forward = false;  // Fwd:, WG:, TR: …
};

// Prefixes of the common clients and languages, repeated, counted (Re[2]:) or with full-width colons.
SubjectParts subject_parts(std::string_view subject);

// At most 255 bytes: the subject, else the first words of the body, else "(no subject)".
std::string title_of(std::string_view subject, std::string_view body_text);

}  // namespace postroom::mail
