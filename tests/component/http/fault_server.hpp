#pragma once
// Starts fault_server.py for one test case, and performs exchanges against it to their end.

#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "tests/support/child.hpp"

namespace postroom::http {

class FaultServer {
 public:
  FaultServer();

  std::string folder() const { return text("folder"); }
  std::string url(std::string_view scheme, std::string_view port_name, std::string_view path, std::string_view host = "127.0.0.1") const;

 private:
  std::string text(std::string_view member) const;
  support::Child process_;  // removes its folder when its input ends
  std::string announced_;
};

// A loop and a client; fetch() runs the loop until the answer is there.
class Bench {
 public:
  explicit Bench(ClientSettings settings = {.allow = {"127.0.0.0/8"}});
  Reply fetch(Request request);
  std::vector<Reply> fetch_all(std::vector<Request> requests);
  Reply get(std::string url) { return fetch({.url = std::move(url)}); }

  loop::Loop loop;
  SystemClock clock;
  std::unique_ptr<Http> http;
};

}  // namespace postroom::http
