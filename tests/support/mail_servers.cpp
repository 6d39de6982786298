#include "tests/support/mail_servers.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "common/codec/view.hpp"
#include "common/mail/transfer_encoding.hpp"

namespace postroom::support {

MailServers::MailServers()
    : process_({"python3", "-B", POSTROOM_SOURCE_DIR "/tests/support/mail_servers.py"}, Child::Ending::close_input), facts_(process_.read_line()) {
  if (!codec::JsonView::parse(facts_)) throw std::runtime_error("mail_servers.py did not start: " + facts_);
}

std::string MailServers::text(std::string_view member) const {
  const auto facts = codec::JsonView::parse(facts_);
  return (*facts)[member].text_or_digits();
}

std::vector<std::string> MailServers::mails_of(const std::string& user, std::size_t count) {
  process_.write_line(fmt::format("{} {}", user, count));
  const auto answer = codec::JsonView::parse(process_.read_line());
  if (!answer) throw std::runtime_error("mail_servers.py has left");
  std::vector<std::string> mails;
  for (std::size_t i = 0; i < answer->size(); ++i) mails.push_back(mail::decode_base64((*answer)[i].text()));
  return mails;
}

}  // namespace postroom::support
