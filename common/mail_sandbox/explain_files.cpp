#include "common/mail_sandbox/explain_files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "common/mail/prescan.hpp"

namespace postroom::mail_sandbox {

namespace {

constexpr std::size_t most_files_ahead = 4;  // held in memory

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed))
    return Error{Code::bad_message, fmt::format("{} is a folder", path.string())};
  if (std::filesystem::exists(path, failed) && !std::filesystem::is_regular_file(path, failed))
    return Error{Code::bad_message, fmt::format("{} is not a regular file", path.string())};
  std::ifstream file{path, std::ios::binary};
  if (!file) return Error{Code::bad_message, fmt::format("{} cannot be read: {}", path.string(), std::strerror(errno))};
  const std::size_t limit = mail::Limits{}.mail_bytes + 1;
  std::string bytes;
  char piece[64 * 1024];
  while (bytes.size() < limit && (file.read(piece, sizeof piece) || file.gcount() > 0))
    bytes.append(piece, static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return Error{Code::bad_message, fmt::format("{} cannot be read to its end", path.string())};
  return bytes;
}

class Run {
 public:
  Run(const std::vector<std::filesystem::path>& files, const mail::ExplainContext& context, const Options& options,
      const std::function<void(const mail::Explanation&)>& each)
      : files_(files), context_(context), each_(each), answers_(files.size()), sandbox_(loop_, options) {}

  Result<std::size_t> run() {
    loop_.post([this] { feed(); });
    loop_.run();
    if (failure_) return *failure_;
    return unread_;
  }

 private:
  void feed() {
    while (!failure_ && next_ < files_.size() && next_ - told_ < most_files_ahead) {
      const std::size_t index = next_++;
      auto bytes = read_file(files_[index]);
      if (!bytes) {
        ++unread_;
        answered(index, bytes.error());
        continue;
      }
      Job job;
      job.mail = std::move(*bytes);
      job.on_done = [this, index](Result<mail::Message> message) {
        answered(index, std::move(message));
        loop_.post([this] { feed(); });
      };
      sandbox_.submit(std::move(job));
    }
    if (failure_ || told_ == files_.size()) loop_.stop();
  }

  void answered(std::size_t index, Result<mail::Message> message) {
    if (!message && message.error().code() == Code::unavailable) {
      failure_ = message.error();
      return;
    }
    answers_[index] = std::move(message);
    while (!failure_ && told_ < files_.size() && answers_[told_]) {
      each_(mail::explain(files_[told_].string(), std::move(*answers_[told_]), context_));
      answers_[told_].reset();
      ++told_;
    }
  }

  const std::vector<std::filesystem::path>& files_;
  const mail::ExplainContext& context_;
  const std::function<void(const mail::Explanation&)>& each_;
  std::vector<std::optional<Result<mail::Message>>> answers_;
  std::size_t next_ = 0;
  std::size_t told_ = 0;
  std::size_t unread_ = 0;
  std::optional<Error> failure_;
  loop::Loop loop_;
  Sandbox sandbox_;
};

}  // namespace

Result<std::size_t> explain_files(const std::vector<std::filesystem::path>& files, const mail::ExplainContext& context,
                           const Options& options, const std::function<void(const mail::Explanation&)>& each) {
  return Run{files, context, options, each}.run();
}

}  // namespace postroom::mail_sandbox
