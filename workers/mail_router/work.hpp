#pragma once
// The mail router put together for its process: sandbox, store, keys and links around a Router.

#include "workers/runtime/process.hpp"

namespace postroom::mail_router {

worker::Calling calling();

}  // namespace postroom::mail_router
