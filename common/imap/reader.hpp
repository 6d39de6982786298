#pragma once
// A cursor over the text of one response, with the tokens that all responses share. Private to common/imap.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/imap/limits.hpp"

namespace postroom::imap {

// A literal that was already received. In the text only its {n} CRLF stands.
struct Literal {
  bool is_streamed = false;
  std::uint64_t byte_count = 0;
  std::string bytes;  // empty when streamed
};

// Once it stops, nothing can be read any more and every loop over it ends: callers look at stop() where it matters, not
// after each token.
class Reader {
 public:
  enum class Stop { none, malformed, literal_wanted };

  Reader(std::string_view text, const std::vector<Literal>& literals, const Limits& limits)
      : text_(text), literals_(literals), limits_(limits) {}

  const Limits& limits() const { return limits_; }
  Stop stop() const { return stop_; }
  bool ok() const { return stop_ == Stop::none; }
  const std::string& what() const { return what_; }
  std::uint64_t wanted_bytes() const { return wanted_bytes_; }  // of the literal, at literal_wanted

  bool fail(std::string what);
  bool at_end() const;  // only the last CRLF is left, or the reader has stopped
  char peek() const;    // '\0' at the end
  bool accept(char c);
  void expect(char c);
  void skip_spaces();

  std::string_view word();           // up to a space, parenthesis, bracket that closes, quote or CRLF; may be empty
  std::string_view atom();           // a word that is not empty
  std::string_view until(char end);  // up to `end`, which stays; fails when there is none before CRLF
  std::string_view rest();           // everything before the last CRLF
  std::uint64_t number(std::uint64_t highest);
  std::uint32_t number32(bool may_be_zero);

  // NIL, "quoted" or literal.
  struct String {
    bool is_nil = false;
    bool is_literal = false;
    bool is_streamed = false;
    std::uint64_t byte_count = 0;
    std::string bytes;
  };
  String nstring();
  std::string astring();  // an atom as well; NIL counts as the atom

  void skip_value();  // any value, lists included, not deeper than the limit

  // The words of ( … ); at most limits().items.
  std::vector<std::string> word_list();

 private:
  std::string quoted();
  String literal();

  std::string_view text_;
  const std::vector<Literal>& literals_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t next_literal_ = 0;
  Stop stop_ = Stop::none;
  std::string what_;
  std::uint64_t wanted_bytes_ = 0;
};

}  // namespace postroom::imap
