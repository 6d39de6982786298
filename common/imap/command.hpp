#pragma once
// Commands to an IMAP server, written so that no argument can become a second command.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/imap/uid_set.hpp"

namespace postroom::imap {

// How a string is sent that does not fit into quotes (RFC 7888).
enum class LiteralMode { synchronizing, minus, plus };  // minus: up to 4,096 bytes need no permission; plus: none does

// Parts are sent one after another; before each part but the first the server's continuation ("+") must have come.
struct Command {
  std::vector<std::string> parts;
};

// tag NAME argument argument … CRLF. The first argument that is not allowed makes finish() fail, and nothing of the
// command is sent.
class CommandWriter {
 public:
  CommandWriter(std::string_view tag, std::string_view name, LiteralMode mode = LiteralMode::synchronizing);

  CommandWriter& word(std::string_view text);  // as it is, for constants of ours: visible ASCII and spaces
  CommandWriter& string(
      std::string_view bytes);  // quoted, or a literal when not ASCII or long; no control bytes, at most 64 KiB
  CommandWriter& mailbox(std::string_view utf8);             // quoted modified UTF-7
  CommandWriter& uids(std::span<const Uid> ascending);       // at least one
  CommandWriter& flags(std::span<const std::string> flags);  // ( … ), each \Name or a keyword

  Result<Command> finish();
  Result<std::string> line();  // the same for a command without literals, which string() alone could need

 private:
  void refuse(std::string what);

  LiteralMode mode_;
  Command command_;
  std::string refusal_;
};

// \Name or a keyword that fits an atom (RFC 9051, flag).
bool is_flag(std::string_view text);

}  // namespace postroom::imap
