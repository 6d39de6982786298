#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "common/codec/codec.hpp"
#include "common/mail_sandbox/explain_files.hpp"
#include "tests/component/mail_sandbox/corpus_setting.hpp"

using namespace postroom;

namespace {

const std::filesystem::path folder = std::filesystem::path{POSTROOM_SOURCE_DIR} / "tests/corpus/mails";

std::vector<std::filesystem::path> all_mails() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (entry.path().extension() == ".eml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

std::string normal(const std::string& json) {
  const auto value = codec::normalised_json(json);
  REQUIRE(value.ok());
  return *value;
}

}  // namespace

TEST_CASE("every mail of the corpus is explained as expected, through the real sandbox") {
  const auto files = all_mails();
  REQUIRE(files.size() >= 150);
  mail_sandbox::Options options;
  options.executable = std::filesystem::path{POSTROOM_BINARY_DIR} / "postroom-mail-sandbox";
  std::size_t next = 0;
  const auto done = mail_sandbox::explain_files(files, corpus::setting(), options, [&](mail::Explanation explanation) {
    REQUIRE(next < files.size());
    CHECK(explanation.file == files[next].string());  // in the order given
    explanation.file.clear();
    const std::filesystem::path wanted = std::filesystem::path{files[next++]}.replace_extension(".json");
    CAPTURE(wanted.string());
    const std::string expected = normal(content_of(wanted));
    CHECK(normal(mail::to_json(explanation)) == R"({"file":"",)" + expected.substr(1));
    CHECK_FALSE(mail::to_text(explanation).empty());
  });
  REQUIRE(done.ok());
  CHECK(next == files.size());
}

TEST_CASE("the files of the corpus are those of its cases") {
  const std::string command = "python3 '" + std::string{POSTROOM_SOURCE_DIR} + "/tests/corpus/make.py' --check >&2";
  CHECK(std::system(command.c_str()) == 0);
}
