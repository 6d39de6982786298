#include "common/imap_link/plain_login.hpp"

#include <utility>

#include "common/imap/command.hpp"

namespace postroom::imap_link {

namespace {

constexpr std::string_view tag = "L1";
constexpr std::size_t most_unread = 64 * 1024;  // bytes of one answer

}  // namespace

Result<PlainLogin> PlainLogin::with(const Account& account) {
  auto command = imap::CommandWriter(tag, "LOGIN").string(account.user).string(account.password).finish();
  if (!command) return command.error();
  PlainLogin login;
  for (auto& part : command->parts) login.parts_.push_back(std::move(part));
  return login;
}

std::string PlainLogin::next_part() {
  if (parts_.empty()) return {};
  std::string part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

PlainLogin::Heard PlainLogin::on_bytes(std::string_view bytes) {
  Heard heard;
  unread_ += bytes;
  for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
    std::string line = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with('+')) heard.wants_part = true;
    const bool is_answer = line.starts_with(tag) && line.substr(tag.size()).starts_with(' ');
    if (!is_answer && !line.starts_with("* BYE")) continue;
    heard.is_in = is_answer && line.substr(tag.size() + 1).starts_with("OK");
    heard.verdict = std::move(line);
    heard.rest = std::exchange(unread_, {});
    return heard;
  }
  if (unread_.size() > most_unread) heard.verdict = unread_.substr(0, 100);
  return heard;
}

}  // namespace postroom::imap_link
