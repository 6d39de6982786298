#pragma once
// The jira worker's trade: its job types and their conversations.

#include "workers/runtime/trade.hpp"

namespace postroom::jira {

worker::Trade trade();

}  // namespace postroom::jira
