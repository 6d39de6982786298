#pragma once
// What is new in an answer, apart from the quoted conversation and the signature. Never deletes: every line of the body
// is in one of the three parts; on doubt everything is new.

#include <string>
#include <string_view>

namespace postroom::mail {

struct ReplyText {
  std::string reply;      // never empty unless the body is
  std::string quoted;     // with the line that introduces it
  std::string signature;  // with its mark
  bool is_forward = false;
};

// `body` as of normalised_text(). `is_answer`: the mail answers another one (In-Reply-To, References, "Re:"); then
// quote marks alone are enough, otherwise an introducing line is asked for. Linear; looks at the first 10,000 lines,
// what follows belongs to the last part.
ReplyText split_reply(std::string_view body, bool is_answer);

}  // namespace postroom::mail
