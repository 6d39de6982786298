#pragma once
// The real Http port: libcurl's multi interface on a libuv loop. Guards of every exchange: https (plain http only to listed addresses), no
// redirects, no proxies, no cookies; every socket's address checked against the private ranges; body, head and time bounded; control bytes
// refused before any option is set.

#include <memory>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/http/exchange.hpp"
#include "common/loop/loop.hpp"

namespace postroom::http {

struct ClientSettings {
  std::vector<std::string> allow;     // private address blocks that may be called
  std::string ca_file;                // further trusted certificates, PEM; empty = only the system's
  std::string user_agent = "Postroom";
};

// Errors: a wrong address block, a certificate file that cannot be read. Loop and clock must outlive the client.
Result<std::unique_ptr<Http>> make_client(loop::Loop& loop, const Clock& clock, ClientSettings settings);

}  // namespace postroom::http
