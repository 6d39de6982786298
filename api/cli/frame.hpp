#pragma once
// What every subcommand that talks to a running Postroom needs: where it is, who asks, and how to say it.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_view.hpp"
#include "common/base/config.hpp"

namespace postroom::cli {

constexpr int succeeded = 0, failed = 1, misused = 2;  // exit statuses

struct Frame {
  std::filesystem::path home;  // empty: POSTROOM_HOME, else ./.postroom
  bool as_json = false;        // what the api answered, instead of tables
};

// An answer of the api (or the broker), or why there is none.
struct Answer {
  int status = 0;  // 0: none
  api::JsonDocument document;
  std::string text;   // as it came
  std::string trouble;  // for a person; empty when status is 2xx
  bool ok() const { return status >= 200 && status < 300; }
  api::Json data() const { return document.root()["data"]; }
};

// The api of this installation, asked with POSTROOM_TOKEN or the administrator's token from secrets/.
class Client {
 public:
  // Reads the configuration; errors say what to do.
  static Result<Client> open(const Frame& frame);

  // `target` begins with /v1/. A body is sent as JSON. Waits up to `patience`.
  Answer ask(std::string_view method, std::string_view target, std::string body = {}, std::vector<std::pair<std::string, std::string>> headers = {},
             std::chrono::seconds patience = std::chrono::seconds{75}) const;

  // The broker's management API, as the user `operator`; `target` begins with /api/.
  Answer ask_broker(std::string_view target) const;

  const Config& config() const { return config_; }

 private:
  explicit Client(Config config) : config_(std::move(config)) {}
  Config config_;
  std::string base_url_;
  std::string token_;
};

// Says what is wrong on standard error; the exit status.
int complain(std::string_view what);
int complain(const Answer& answer);

// Prints the answer as it came (as_json), or calls `show`; complains when there is none.
template <class Show>
int tell(const Frame& frame, const Answer& answer, Show&& show) {
  if (!answer.ok()) return complain(answer);
  if (frame.as_json) {
    std::fwrite(answer.text.data(), 1, answer.text.size(), stdout);
    std::fputc('\n', stdout);
  } else {
    show();
  }
  return succeeded;
}

std::string percent_encoded(std::string_view text);

}  // namespace postroom::cli
