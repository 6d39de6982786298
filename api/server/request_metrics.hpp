#pragma once
// What is counted of every request: how many by route and kind of status, and how long each took from its head to its answer.

#include <chrono>

#include "api/routes.hpp"

namespace postroom::api {

// `route`: nullptr when none was found. Cheap: the counters are looked up once.
void count_request(const Route* route, int status, std::chrono::nanoseconds took);

}  // namespace postroom::api
