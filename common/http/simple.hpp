#pragma once
// One exchange, blocking: for the command line, which talks to the api and the broker of its own installation. No redirects, no proxy, no
// address guard: whoever runs the command line chose the address. Daemons use common/http/client.hpp.

#include "common/http/exchange.hpp"

namespace postroom::http {

// `was_sent` is not told. Control bytes in the request are refused before a byte leaves.
Reply ask(const Request& request);

}  // namespace postroom::http
