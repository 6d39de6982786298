#include <fmt/format.h>

#include <cstdio>

#include "api/cli/commands.hpp"
#include "api/cli/mail_setting.hpp"
#include "common/mail_sandbox/explain_files.hpp"

namespace postroom::cli {

int run_mail_explain(const Frame& frame, const MailPick& pick) {
  const auto setting = mail_setting(frame.home, pick.inbox);
  if (!setting) return complain(setting.error().text());
  for (const std::string& remark : setting->remarks) fmt::print(stderr, "postroom: {}\n", remark);
  const bool is_jsonl = pick.as_jsonl || frame.as_json;
  const std::vector<std::filesystem::path> files{pick.files.begin(), pick.files.end()};
  const auto unread = mail_sandbox::explain_files(files, setting->context, {}, [&](const mail::Explanation& explanation) {
    const std::string shown = is_jsonl ? mail::to_json(explanation) + "\n" : mail::to_text(explanation);
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    std::fflush(stdout);  // whoever reads along sees each mail when it is done
  });
  if (!unread) return complain(unread.error().text());
  // A mail that cannot be parsed is explained; a file that cannot be read is not.
  if (*unread > 0) return complain(fmt::format("{} of {} files could not be read", *unread, files.size()));
  return succeeded;
}

}  // namespace postroom::cli
