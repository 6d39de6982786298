#pragma once
// What the front door needs of the configuration.

#include <chrono>
#include <cstdint>
#include <string>

namespace postroom::api {

struct Settings {
  std::string installation;  // UUID, the name space of ids
  std::string public_url;    // base of links, without a slash at its end
  std::uint64_t body_limit = 1 << 20;  // bytes
  std::chrono::milliseconds publish_timeout{1'000};
  std::chrono::milliseconds reply_wait{10'000};
  bool may_call_plain_http = false;  // the configuration file lists private addresses that may be called
};

}  // namespace postroom::api
