#pragma once
// The ledger's process: loop, links, rounds, beat and health, wired together.

#include <memory>

#include "common/base/config.hpp"
#include "workers/ledger/lock.hpp"

namespace postroom::ledger {

// Serves until SIGTERM or SIGINT; the exit status. The lock is held already.
int serve(const Config& config, HolderLock lock);

}  // namespace postroom::ledger
