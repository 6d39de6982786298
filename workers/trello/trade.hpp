#pragma once
// The trello worker's trade: its job types and their conversations.

#include "workers/runtime/trade.hpp"

namespace postroom::trello {

worker::Trade trade();

}  // namespace postroom::trello
