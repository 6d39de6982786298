#pragma once
// The real Smtp port: libcurl's multi interface on a libuv loop. Guards of every exchange: TLS (without it only to listed addresses whose server
// offers none), certificates checked, every socket's address checked against the private ranges, answers and time bounded, control bytes refused
// before any option is set, one connection for one transaction.

#include <memory>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/loop/loop.hpp"
#include "common/smtp/exchange.hpp"

namespace postroom::smtp {

struct ClientSettings {
  std::vector<std::string> allow;  // private address blocks that may be called
  std::string ca_file;             // further trusted certificates, PEM; empty = only the system's
};

// Errors: a wrong address block, a certificate file that cannot be read. Loop and clock must outlive the client.
Result<std::unique_ptr<Smtp>> make_client(loop::Loop& loop, const Clock& clock, ClientSettings settings);

}  // namespace postroom::smtp
