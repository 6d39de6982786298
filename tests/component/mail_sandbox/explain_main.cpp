// mail_explain FILE…: the JSON line of each mail, with the setting of the corpus. For people who write corpus mails.

#include <iostream>

#include "common/mail_sandbox/explain_files.hpp"
#include "tests/component/mail_sandbox/corpus_setting.hpp"

int main(int count, char** arguments) {
  const std::vector<std::filesystem::path> files{arguments + 1, arguments + count};
  const auto context = postroom::corpus::setting();
  const auto done = postroom::mail_sandbox::explain_files(
      files, context, {}, [](const auto& explanation) { std::cout << postroom::mail::to_json(explanation) << "\n"; });
  if (!done) std::cerr << done.error().text() << "\n";
  return done ? 0 : 1;
}
