#pragma once
// Loopback ports that nobody listens on at this moment.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/result.hpp"

namespace postroom::cli {

// `count` different ports from 10240 to 29999: below the range from which Linux takes the ports of outgoing
// connections, so that a port chosen today is still free tomorrow. unavailable when too few are found.
Result<std::vector<std::uint16_t>> choose_free_ports(std::size_t count);

}  // namespace postroom::cli
