#include "tests/unit/imap/dialogue.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

#include "common/base/text.hpp"

namespace postroom::imap {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

std::string cursor_text(const Cursor& cursor) {
  return fmt::format("{}/{}", cursor.uid_validity, cursor.last_uid);
}

std::string outcome_text(ChoreDone::Outcome outcome) {
  return outcome == ChoreDone::Outcome::done ? "done" : outcome == ChoreDone::Outcome::refused ? "refused" : "failed";
}

std::string_view code_text(Code code) {
  return name_of(code);
}

// One play of a script with one way of cutting the server's bytes.
class Player {
 public:
  Player(const Task& task, const Settings& settings) : engine_(task, settings) {}

  // Inputs and answers, one a line.
  const std::string& transcript() const { return transcript_; }
  // Answers only.
  const std::string& answers() const { return answers_; }

  void start() { take(engine_.start(now_)); }

  void input(std::string_view line) {
    const std::string_view argument = line.size() > 3 ? line.substr(3) : std::string_view{};
    switch (line[0]) {
      case 'T': {
        const auto wait = std::chrono::duration_cast<std::chrono::seconds>(wake_.value_or(now_) - now_).count();
        echo(fmt::format("T: wake +{}s", wait));
        now_ = wake_.value_or(now_);
        take(engine_.on_time(now_));
        break;
      }
      case 'K':
        echo(line);
        take(engine_.on_kept(static_cast<Uid>(std::stoul(std::string{argument})), now_));
        break;
      case 'N':
        echo(line);
        take(engine_.on_noted(static_cast<Uid>(std::stoul(std::string{argument})), now_));
        break;
      case 'H':
        echo(line);
        take(engine_.on_chores({chore(argument)}, now_));
        break;
      case 'Q':
        echo(line);
        take(engine_.on_stop(now_));
        break;
      case 'X':
        echo(line);
        take(engine_.on_closed(now_));
        break;
      default:
        FAIL("no such input: " << line);
    }
  }

  void echo(std::string_view line) { transcript_ += fmt::format("{}\n", line); }
  void feed(std::string_view bytes) { take(engine_.on_bytes(bytes, now_)); }

 private:
  void answer(const std::string& line) {
    transcript_ += line + "\n";
    answers_ += line + "\n";
  }

  void take(const Actions& actions) {
    for (const Action& action : actions) {
      std::visit(
          Overloaded{
              [&](const Send& a) {
                std::string_view lines = a.bytes;
                REQUIRE(lines.ends_with("\r\n"));
                lines.remove_suffix(2);
                for (const std::string_view line : split(lines, '\n')) answer(fmt::format("C: {}", trimmed(line)));
              },
              [&](const WakeAt& a) { wake_ = a.at; },
              [&](const Selected& a) {
                answer(fmt::format("A: selected {} next={} exists={}{}{}", a.uid_validity,
                                   a.uid_next ? fmt::format("{}", *a.uid_next) : "?", a.exists,
                                   a.highest_mod_sequence ? fmt::format(" modseq={}", *a.highest_mod_sequence) : "",
                                   a.is_read_only ? " read-only" : ""));
              },
              [&](const ValidityChanged& a) { answer(fmt::format("A: validity {} -> {}", a.before, a.now)); },
              [&](const CursorReset& a) { answer(fmt::format("A: reset {}", a.why)); },
              [&](const Notice& a) { answer(fmt::format("A: notice {}", a.text)); },
              [&](const MailBegin&) {
                REQUIRE_FALSE(is_in_mail_);
                is_in_mail_ = true;
                body_.clear();
              },
              [&](const MailChunk& a) {
                REQUIRE(is_in_mail_);
                body_ += a.bytes;
              },
              [&](const MailEnd& a) {
                REQUIRE(std::exchange(is_in_mail_, false));
                CHECK(a.byte_count == body_.size());
                answer(fmt::format(
                    "A: {} {} size={}{}{} \"{}\"", a.extent == MailEnd::Extent::whole ? "mail" : "header", a.uid,
                    a.stated_size, a.received_at ? " at=" + to_rfc3339(*a.received_at).substr(0, 19) : "",
                    a.flags.empty() ? "" : fmt::format(" flags={}", fmt::join(a.flags, "|")), json_escaped(body_)));
              },
              [&](const MailDropped&) {
                REQUIRE(std::exchange(is_in_mail_, false));
                answer("A: dropped");
              },
              [&](const MailMissing& a) {
                const char* why = a.why == MailMissing::Why::gone      ? "gone"
                                  : a.why == MailMissing::Why::skipped ? "skipped"
                                                                       : "unfetchable";
                answer(fmt::format("A: {} {}: {}", why, a.uid, a.text));
              },
              [&](const Asking& a) { answer(fmt::format("A: asking {}", a.uid)); },
              [&](const Progress& a) {
                answer(fmt::format("A: progress {}{}", cursor_text(a.cursor),
                                   a.older_count > 0 ? fmt::format(" older={}", a.older_count) : ""));
              },
              [&](const CaughtUp& a) { answer(fmt::format("A: caught up {}", cursor_text(a.cursor))); },
              [&](const ChoreDone& a) {
                answer(fmt::format("A: {} {}{}{}", a.id, outcome_text(a.outcome), a.text.empty() ? "" : ": ", a.text));
              },
              [&](const Done&) { answer("A: done"); },
              [&](const Failed& a) {
                CHECK_FALSE(is_in_mail_);
                answer(fmt::format("A: failed {}: {}{}", code_text(a.error.code()), a.error.what(),
                                   a.suspect ? fmt::format(" (at {})", *a.suspect) : ""));
              },
          },
          action);
    }
  }

  Engine engine_;
  SteadyTime now_{std::chrono::hours{1}};
  std::optional<SteadyTime> wake_;
  bool is_in_mail_ = false;
  std::string body_;
  std::string transcript_;
  std::string answers_;
};

std::vector<std::string> lines_of(std::string_view script) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(script, '\n')) {
    if (!trimmed(line).empty()) lines.emplace_back(trimmed(line));
  }
  return lines;
}

bool is_answer(std::string_view line) {
  return line.starts_with("A:") || line.starts_with("C:");
}
std::string wire(std::string_view line) {
  return fmt::format("{}\r\n", line.size() > 3 ? line.substr(3) : "");
}

// Every server line in pieces that end after each of `cuts` (offsets in the line); with npos: one byte at a time.
std::string play_cut(const std::vector<std::string>& lines, const Task& task, const Settings& settings,
                     std::size_t cut) {
  Player player{task, settings};
  player.start();
  for (const std::string& line : lines) {
    if (is_answer(line)) continue;
    if (!line.starts_with("S:")) {
      player.input(line);
      continue;
    }
    player.echo(line);
    const std::string bytes = wire(line);
    if (cut == std::string::npos) {
      for (std::size_t at = 0; at < bytes.size(); ++at) player.feed(std::string_view{bytes}.substr(at, 1));
    } else {
      const std::size_t first = std::min(cut, bytes.size());
      player.feed(std::string_view{bytes}.substr(0, first));
      player.feed(std::string_view{bytes}.substr(first));
    }
  }
  return player.transcript();
}

// All server lines up to the next other input in one piece: only the answers can be compared then.
std::string play_glued(const std::vector<std::string>& lines, const Task& task, const Settings& settings) {
  Player player{task, settings};
  player.start();
  std::string bytes;
  for (const std::string& line : lines) {
    if (is_answer(line)) continue;
    if (line.starts_with("S:")) {
      bytes += wire(line);
      continue;
    }
    player.feed(std::exchange(bytes, {}));
    player.input(line);
  }
  player.feed(bytes);
  return player.answers();
}

}  // namespace

void play(std::string_view script, const Task& task, const Settings& settings) {
  const std::vector<std::string> lines = lines_of(script);
  std::string expected;
  std::string answers;
  std::size_t longest = 0;
  for (const std::string& line : lines) {
    expected += line + "\n";
    if (is_answer(line)) answers += line + "\n";
    longest = std::max(longest, line.size());
  }
  REQUIRE(play_cut(lines, task, settings, 0) == expected);
  REQUIRE(play_cut(lines, task, settings, std::string::npos) == expected);
  for (std::size_t cut = 1; cut < longest; ++cut) {
    if (play_cut(lines, task, settings, cut) != expected) FAIL("another talk when lines are cut after byte " << cut);
  }
  CHECK(play_glued(lines, task, settings) == answers);
}

Chore chore(std::string_view text) {
  const auto words = split(text, ' ');
  REQUIRE(words.size() >= 2);
  const auto numbers = split(words[1], '/');
  REQUIRE(numbers.size() == 2);
  Chore result;
  result.id = fmt::format("{} {}", words[0], numbers[1]);
  result.uid_validity = static_cast<std::uint32_t>(std::stoul(std::string{numbers[0]}));
  result.uid = static_cast<Uid>(std::stoul(std::string{numbers[1]}));
  result.verb = words[0] == "flag" ? Chore::Verb::flag : words[0] == "move" ? Chore::Verb::move : Chore::Verb::erase;
  if (words.size() > 2) result.argument = words[2];
  return result;
}

}  // namespace postroom::imap
