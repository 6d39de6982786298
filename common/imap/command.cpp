#include "common/imap/command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/imap/mailbox_name.hpp"

namespace postroom::imap {

namespace {

constexpr std::size_t longest_string = 64 * 1024;
constexpr std::size_t longest_quoted = 1000;  // servers bound their lines
constexpr std::size_t longest_literal_minus = 4096;
constexpr std::size_t longest_flag = 100;

bool is_visible(char c) {
  return c >= 0x20 && c <= 0x7e;
}

}  // namespace

bool is_flag(std::string_view text) {
  if (text.starts_with('\\')) text.remove_prefix(1);
  return !text.empty() && text.size() <= longest_flag && std::all_of(text.begin(), text.end(), [](char c) {
    return is_visible(c) && std::string_view{" (){}%*\"\\]"}.find(c) == std::string_view::npos;
  });
}

CommandWriter::CommandWriter(std::string_view tag, std::string_view name, LiteralMode mode) : mode_(mode) {
  command_.parts.emplace_back(fmt::format("{} {}", tag, name));
}

void CommandWriter::refuse(std::string what) {
  if (refusal_.empty()) refusal_ = std::move(what);
}

CommandWriter& CommandWriter::word(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_visible))
    refuse("a word of a command is empty or not visible ASCII");
  command_.parts.back() += fmt::format(" {}", text);
  return *this;
}

CommandWriter& CommandWriter::string(std::string_view bytes) {
  if (bytes.size() > longest_string) refuse("a string of a command is longer than 64 KiB");
  if (has_control_bytes(bytes)) refuse("a string of a command contains control bytes");
  std::string& line = command_.parts.back();
  line += ' ';
  if (bytes.size() <= longest_quoted && std::all_of(bytes.begin(), bytes.end(), is_visible)) {
    line += '"';
    for (const char c : bytes) {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
    line += '"';
    return *this;
  }
  const bool needs_no_permission =
      mode_ == LiteralMode::plus || (mode_ == LiteralMode::minus && bytes.size() <= longest_literal_minus);
  line += fmt::format("{{{}{}}}\r\n", bytes.size(), needs_no_permission ? "+" : "");
  if (!needs_no_permission) command_.parts.emplace_back();
  command_.parts.back() += bytes;
  return *this;
}

CommandWriter& CommandWriter::mailbox(std::string_view utf8) {
  const auto encoded = encode_mailbox_name(utf8);
  if (!encoded) {
    refuse(encoded.error().what());
    return *this;
  }
  std::string& line = command_.parts.back();
  line += " \"";
  for (const char c : *encoded) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
  return *this;
}

CommandWriter& CommandWriter::uids(std::span<const Uid> ascending) {
  if (ascending.empty() || ascending.front() == 0) refuse("a command names no UID");
  command_.parts.back() += fmt::format(" {}", to_text(ascending));
  return *this;
}

CommandWriter& CommandWriter::flags(std::span<const std::string> flags) {
  for (const std::string& flag : flags) {
    if (!is_flag(flag)) refuse("a flag is neither \\Name nor a keyword");
  }
  command_.parts.back() += fmt::format(" ({})", fmt::join(flags, " "));
  return *this;
}

Result<Command> CommandWriter::finish() {
  if (!refusal_.empty()) return Error{Code::bad_message, refusal_, "imap command"};
  command_.parts.back() += "\r\n";
  return std::move(command_);
}

Result<std::string> CommandWriter::line() {
  auto command = finish();
  if (!command) return command.error();
  if (command->parts.size() != 1) return Error{Code::bug, "a command with a literal is no single line", "imap command"};
  return std::move(command->parts.front());
}

}  // namespace postroom::imap
