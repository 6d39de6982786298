#pragma once
// Bytes from an IMAP server → responses, incrementally and within limits.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/imap/grammar.hpp"
#include "common/imap/limits.hpp"
#include "common/imap/response.hpp"

namespace postroom::imap {

// How the bytes are cut into pieces makes no difference to what comes out, except for where a body's chunks begin and
// end.
class Decoder {
 public:
  explicit Decoder(Limits limits = {}) : limits_(limits) {}

  // Takes bytes from the front of `input` until a response is complete; nothing when `input` is used up. Call until
  // then. bad_message: the server does not speak IMAP or oversteps a limit. From then on the position in the stream is
  // lost: hang up.
  Result<std::optional<Response>> next(std::string_view& input);

  // Bytes that are kept between calls, at most line_bytes + kept_bytes.
  std::size_t kept_byte_count() const { return text_.size() + kept_; }

 private:
  enum class Mode { line, kept_literal, streamed_literal, lost };
  using Outcome = Result<std::optional<Response>>;

  bool take_line(std::string_view& input);  // true: text_ ends with a whole line
  Outcome line_complete();
  Outcome begin_literal(LiteralWanted wanted);
  Outcome take_streamed(std::string_view& input);
  bool is_long_search() const;
  Outcome search_part();
  Error lose(std::string what);
  void begin_response();

  Limits limits_;
  Mode mode_ = Mode::line;
  std::string text_;  // the response so far, without its literals
  std::vector<Literal> literals_;
  std::size_t kept_ = 0;         // bytes in literals_
  std::uint64_t remaining_ = 0;  // of the literal that is being received
  std::string lost_why_;
};

}  // namespace postroom::imap
