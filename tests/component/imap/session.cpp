#include "tests/component/imap/session.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "tests/support/dovecot.hpp"

namespace postroom::fixtures {

using namespace imap;

namespace {
SteadyTime now() {
  return std::chrono::steady_clock::now();
}
constexpr std::chrono::milliseconds patience{20'000};
}  // namespace

Connection::Connection(std::uint16_t port, std::string_view user)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error{"cannot connect"};
  if (!receive(patience)) throw std::runtime_error{"no greeting"};
  // The password is not ASCII: LOGIN goes out with a literal, as the writer cuts it.
  const auto login = CommandWriter("L", "LOGIN").string(user).string(Dovecot::password).finish();
  for (const std::string& part : login->parts) {
    send_all(part);
    const auto answer = receive(patience);
    if (!answer || answer->starts_with("L NO") || answer->starts_with("L BAD"))
      throw std::runtime_error{"LOGIN: " + answer.value_or("closed")};
  }
}

Connection::~Connection() {
  ::close(socket_);
}

void Connection::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<std::string> Connection::receive(std::chrono::milliseconds wait) {
  pollfd waiting{socket_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(wait.count())) == 0) return std::string{};
  std::array<char, 16'384> buffer{};
  const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return std::nullopt;
  return std::string{buffer.data(), static_cast<std::size_t>(got)};
}

std::string Connection::command(std::string_view text) {
  const std::string tag = fmt::format("T{} ", ++last_tag_);
  send_all(fmt::format("{}{}\r\n", tag, text));
  std::string answer;
  const auto end = now() + patience;
  while (now() < end) {
    const auto more = receive(patience);
    if (!more) break;
    answer += *more;
    const auto last = answer.rfind("\r\n" + tag);
    if (last == std::string::npos && !answer.starts_with(tag)) continue;
    if (!answer.ends_with("\r\n")) continue;
    if (answer.find(tag + "OK") == std::string::npos) break;
    return answer;
  }
  throw std::runtime_error{fmt::format("{}: {}", text, answer)};
}

Session::Session(std::uint16_t port, std::string_view user, Task task, Settings settings)
    : connection_(port, user), engine_(std::move(task), settings) {
  act(engine_.start(now()));
}

void Session::run_to_the_end() {
  run_until([](const Findings&) { return false; });
}

void Session::run_until(const std::function<bool(const Findings&)>& enough) {
  const auto end = now() + std::chrono::seconds{60};
  while (!enough(findings_) && engine_.stage() != Stage::closed) {
    if (now() > end) throw std::runtime_error{fmt::format("nothing more happens while {}", name_of(engine_.stage()))};
    const auto wait = wake_ ? std::chrono::duration_cast<std::chrono::milliseconds>(*wake_ - now()) : patience;
    const auto bytes =
        connection_.receive(std::clamp(wait, std::chrono::milliseconds{0}, std::chrono::milliseconds{1000}));
    if (!bytes) {
      act(engine_.on_closed(now()));
    } else if (!bytes->empty()) {
      act(engine_.on_bytes(*bytes, now()));
    } else if (wake_ && *wake_ <= now()) {
      act(engine_.on_time(now()));
    }
  }
}

void Session::act(const Actions& actions) {
  std::optional<Uid> kept;
  for (const Action& action : actions) {
    if (const auto* send = std::get_if<Send>(&action)) {
      connection_.send_all(send->bytes);
    } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
      wake_ = wake->at;
    } else if (const auto* selected = std::get_if<Selected>(&action)) {
      findings_.selected = *selected;
    } else if (std::holds_alternative<ValidityChanged>(action)) {
      ++findings_.validity_changes;
    } else if (std::holds_alternative<MailBegin>(action)) {
      body_.clear();
    } else if (const auto* chunk = std::get_if<MailChunk>(&action)) {
      body_ += chunk->bytes;
    } else if (const auto* mail = std::get_if<MailEnd>(&action)) {
      ++findings_.mail_count;
      findings_.mails[mail->uid] = std::move(body_);
      after_mail();
    } else if (const auto* missing = std::get_if<MailMissing>(&action)) {
      findings_.missing[missing->uid] = missing->why;
    } else if (const auto* progress = std::get_if<Progress>(&action)) {
      findings_.cursor = progress->cursor;
      kept = progress->cursor.last_uid;
    } else if (const auto* caught_up = std::get_if<CaughtUp>(&action)) {
      findings_.cursor = caught_up->cursor;
      ++findings_.times_caught_up;
    } else if (const auto* chore = std::get_if<ChoreDone>(&action)) {
      findings_.chores.push_back(*chore);
    } else if (std::holds_alternative<Done>(action)) {
      findings_.is_done = true;
    } else if (const auto* failed = std::get_if<Failed>(&action)) {
      findings_.failure = failed->error.text();
    }
  }
  if (kept) act(engine_.on_kept(*kept, now()));
}

}  // namespace postroom::fixtures
