#pragma once
// One simulator of tests/sims on a free port, and the real HTTP client to talk to it with.

#include <string>

#include "common/codec/view.hpp"
#include "common/http/client.hpp"
#include "tests/support/child.hpp"
#include "workers/runtime/trade.hpp"

namespace postroom::support {

class Simulator {
 public:
  explicit Simulator(std::string name);  // "jira", "trello"
  std::string base_url() const { return base_url_; }

  void rules(std::string json) { control("POST", "rules", std::move(json)); }
  void settings(std::string json) { control("POST", "settings", std::move(json)); }
  codec::JsonView objects();  // the list, with fields

  // Performs a conversation to its verdict over the real client, as the runtime does: effects once, on fresh connections.
  worker::Step perform(worker::Talk<worker::Step> talk, std::chrono::milliseconds timeout = std::chrono::seconds{20});
  worker::TestStep perform(worker::Talk<worker::TestStep> talk);
  http::Reply fetch(http::Request request);
  int commits = 0;  // that conversations asked for

 private:
  http::Reply control(std::string method, std::string_view name, std::string body = {});

  Child process_;
  std::string base_url_;
  loop::Loop loop_;
  SystemClock clock_;
  std::unique_ptr<http::Http> http_;
};

}  // namespace postroom::support
