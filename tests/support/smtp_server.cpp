#include "tests/support/smtp_server.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/codec/view.hpp"
#include "common/mail/transfer_encoding.hpp"

namespace postroom::support {

namespace {

// The module is Debian's, so Debian's python3 runs it, whichever comes first on the path.
std::vector<std::string> command(const std::filesystem::path& folder, std::vector<std::string> options) {
  std::vector<std::string> words{"/usr/bin/python3", "-W", "ignore", POSTROOM_SOURCE_DIR "/tests/sims/smtp.py", "--folder", folder.string()};
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

template <class Take>
void each_event(const std::string& log, std::string_view event, Take take) {
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = codec::JsonView::parse(line);
    if (parsed && (*parsed)["event"].text() == event) take(*parsed);
  }
}

}  // namespace

SmtpServer::SmtpServer(std::vector<std::string> options) : process_(command(folder_.path(), std::move(options)), Child::Ending::terminate) {
  const std::string said = process_.read_line();
  const std::string expected = "listening on ";
  if (!said.starts_with(expected)) throw std::runtime_error("smtp.py did not start: " + said);
  port_ = said.substr(expected.size());
}

std::string SmtpServer::url(std::string_view scheme) const { return std::string{scheme} + "://127.0.0.1:" + port_; }

std::string SmtpServer::log() const {
  std::ostringstream text;
  text << std::ifstream{folder_.path() / "log"}.rdbuf();
  return text.str();
}

std::vector<SmtpServer::Mail> SmtpServer::mails() const {
  std::vector<Mail> found;
  each_event(log(), "mail", [&](const codec::JsonView& event) {
    Mail mail{std::string{event["sender"].text()}, {}, mail::decode_base64(event["content"].text()), event["login"].is_true()};
    for (std::size_t i = 0; i < event["recipients"].size(); ++i) mail.recipients.emplace_back(event["recipients"][i].text());
    found.push_back(std::move(mail));
  });
  return found;
}

std::vector<std::string> SmtpServer::lines() const {
  std::vector<std::string> found;
  each_event(log(), "line", [&](const codec::JsonView& event) { found.emplace_back(event["text"].text()); });
  return found;
}

bool SmtpServer::comes_to_say(std::string_view line) const {
  for (int i = 0; i < 100; ++i) {
    const auto said = lines();
    if (std::ranges::find(said, line) != said.end()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

std::size_t SmtpServer::count(std::string_view event) const {
  std::size_t count = 0;
  each_event(log(), event, [&](const codec::JsonView&) { ++count; });
  return count;
}

}  // namespace postroom::support
