#include "common/smtp/dialogue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace postroom::smtp {

namespace {

constexpr std::size_t most_bytes = 256 << 10;  // of all answers together
constexpr std::size_t longest_line = 8 << 10;
constexpr std::size_t longest_words = 300;

int code_of(std::string_view line) {
  if (line.size() < 3) return 0;
  int code = 0;
  for (const char c : line.substr(0, 3)) {
    if (c < '0' || c > '9') return 0;
    code = code * 10 + (c - '0');
  }
  return code;
}

std::string_view without_code(std::string_view line) { return line.substr(std::min<std::size_t>(4, line.size())); }

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// RFC 5321 4.5.2. Lines end in CR LF and nowhere else: check() has seen to it.
std::string with_doubled_dots(std::string_view content) {
  std::string out;
  out.reserve(content.size() + 64);
  bool is_line_begin = true;
  for (const char c : content) {
    if (is_line_begin && c == '.') out += '.';
    out += c;
    is_line_begin = c == '\n';
  }
  return out;
}

}  // namespace

Dialogue::Dialogue(const Request& request) : sender_(request.sender), content_(request.content) {
  for (const auto& one : request.recipients) recipients_.push_back({one, 0, {}});
}

// --- listening ---

void Dialogue::overheard(std::string_view command) {
  const std::string verb = to_lower_ascii(command.substr(0, command.find_first_of(" \r\n")));
  if (verb == "quit") return;  // what was said before stands
  code_ = 0;
  words_.clear();
  if (verb == "ehlo" || verb == "helo") {
    stage_ = Stage::hello;
    offers_login_ = offers_size_ = offers_utf8_ = offers_8bit_ = false;  // what was offered before TLS does not count behind it (RFC 3207 4.2)
  } else if (verb == "starttls") {
    stage_ = Stage::starttls;
  } else if (verb == "auth") {
    stage_ = Stage::login;
  }
  // Else it is a further line of a login.
}

bool Dialogue::heard(std::string_view line) {
  byte_count_ += line.size();
  if (byte_count_ > most_bytes) return false;
  line = trimmed(line);
  if (stage_ == Stage::connecting) stage_ = Stage::greeting;
  if (stage_ == Stage::hello) note_offer(line);
  if (words_.size() < longest_words) {
    if (!words_.empty()) words_ += ' ';
    words_ += without_code(line).substr(0, longest_words);
  }
  if (code_of(line) == 0 || line.substr(3).starts_with('-')) return true;
  code_ = code_of(line);
  text_ = cut_utf8(on_one_line(words_), longest_words);
  words_.clear();
  answered();
  return true;
}

void Dialogue::note_offer(std::string_view line) {
  const std::string offer = to_lower_ascii(without_code(line));
  const std::string_view word = std::string_view{offer}.substr(0, offer.find_first_of(" ="));
  if (word == "starttls") offers_starttls_ = true;
  if (word == "auth") offers_login_ = true;
  if (word == "size") offers_size_ = true;
  if (word == "smtputf8") offers_utf8_ = true;
  if (word == "8bitmime") offers_8bit_ = true;
}

// --- speaking ---

void Dialogue::begin() {
  is_speaking_ = true;
  if (recipients_.empty() && sender_.empty()) return say(Stage::sender, "NOOP");
  say_sender();
}

void Dialogue::say(Stage stage, std::string command) {
  stage_ = stage;
  code_ = 0;
  words_.clear();
  out_ = std::move(command) + "\r\n";
  written_ = 0;
}

void Dialogue::say_sender() {
  const bool needs_utf8 = !is_ascii(sender_) || !std::ranges::all_of(recipients_, is_ascii, &Verdict::recipient);
  std::string command = fmt::format("MAIL FROM:<{}>", sender_);
  if (offers_size_ && !recipients_.empty()) command += fmt::format(" SIZE={}", content_.size());
  if (offers_8bit_ && !is_ascii(content_)) command += " BODY=8BITMIME";
  if (needs_utf8 && !offers_utf8_) {
    stage_ = Stage::sender;
    return end(Failure::no_utf8, "the server takes no addresses outside ASCII (it offers no SMTPUTF8): write to an address in ASCII, or send through a server that offers it");
  }
  if (needs_utf8) command += " SMTPUTF8";
  say(Stage::sender, std::move(command));
}

void Dialogue::say_next_recipient() { say(Stage::recipient, fmt::format("RCPT TO:<{}>", recipients_[next_recipient_].recipient)); }

void Dialogue::send_content() {
  stage_ = Stage::content;
  code_ = 0;
  out_ = with_doubled_dots(content_);
  written_ = 0;
}

void Dialogue::written(std::size_t count) {
  written_ += count;
  if (stage_ == Stage::content && written_ == out_.size()) {
    stage_ = Stage::held;
    out_.clear();
    written_ = 0;
  }
}

void Dialogue::go_on() { say(Stage::final_dot, "."); }

void Dialogue::take(std::string_view bytes) {
  while (!bytes.empty() && !is_over_) {
    const auto end_of_line = bytes.find('\n');
    line_ += bytes.substr(0, end_of_line == std::string_view::npos ? bytes.size() : end_of_line + 1);
    if (line_.size() > longest_line) return end(Failure::protocol, "the server's answer is a line without end");
    if (end_of_line == std::string_view::npos) return;
    bytes.remove_prefix(end_of_line + 1);
    const std::string line = std::exchange(line_, {});
    if (code_of(line) == 0) return end(Failure::protocol, "what answers does not speak SMTP");
    if (!heard(line)) return end(Failure::protocol, "the server's answers do not end");
  }
}

void Dialogue::answered() {
  const bool is_yes = code_ >= 200 && code_ < 300;
  if (!is_speaking_) {
    if (stage_ == Stage::starttls) has_begun_tls_ = is_yes;
    if (stage_ == Stage::login) has_logged_in_ = is_yes;
    return;
  }
  // An answer to nothing, while the mail is under way: before its dot it may be turned away, but not accepted.
  const bool is_asked = stage_ != Stage::content && stage_ != Stage::held && outgoing().empty();
  if (stage_ == Stage::recipient && is_asked) {
    recipients_[next_recipient_].code = code_;
    recipients_[next_recipient_].text = text_;
    if (++next_recipient_ < recipients_.size()) return say_next_recipient();
    if (!std::ranges::any_of(recipients_, &Verdict::is_accepted)) return end(Failure::rejected);
    return say(Stage::data, "DATA");
  }
  if (is_no()) return end(Failure::rejected);
  if (!is_asked) return end(Failure::protocol, "the server answered before it was asked");
  if (stage_ == Stage::data && code_ == 354) return send_content();
  if (!is_yes || stage_ == Stage::data) return end(Failure::protocol, "the server's answer is none to the question");
  if (stage_ == Stage::sender && !recipients_.empty()) return say_next_recipient();
  end(Failure::none);
}

void Dialogue::end(Failure failure, std::string_view detail) {
  is_over_ = true;
  failure_ = failure;
  detail_ = detail;
  // Said, and its answer not waited for.
  out_ = failure == Failure::none || failure == Failure::rejected || failure == Failure::no_utf8 ? "QUIT\r\n" : "";
  if (stage_ == Stage::content || stage_ == Stage::held) out_.clear();  // there it would be part of the mail
  written_ = 0;
}

}  // namespace postroom::smtp
