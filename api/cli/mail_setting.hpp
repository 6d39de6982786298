#pragma once
// What an installation knows that decides about a mail: its boards, inboxes, settings, addresses, conversations and its key.

#include <filesystem>
#include <string>
#include <vector>

#include "common/mail/explain.hpp"

namespace postroom::cli {

struct MailSetting {
  mail::ExplainContext context;
  std::vector<std::string> remarks;  // what could not be had, for people
};

// `home` empty: POSTROOM_HOME, else ./.postroom; when no home is there, nothing is known, without a remark. A home that was
// named must be there. `inbox`: id or name of the inbox that the mails came to; empty: by their recipients.
Result<MailSetting> mail_setting(const std::filesystem::path& home, const std::string& inbox);

}  // namespace postroom::cli
