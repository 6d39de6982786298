#pragma once
// A whole worker process around a trade: configuration, links, health, signals, and a quiet end.

#include "common/base/config.hpp"
#include "workers/runtime/trade.hpp"

namespace postroom::worker {

// Runs until SIGTERM or SIGINT, then stops taking jobs, ends what is in hand within 8 s, and returns 0 within 10 s.
// Returns 2 for wrong arguments or configuration. Arguments: --config HOME.
int serve(int argc, char** argv, Trade trade);

// Of a trade that needs something of the configuration or the secrets.
int serve(int argc, char** argv, std::string name, const std::function<Result<Trade>(const Config&)>& make_trade);

}  // namespace postroom::worker
