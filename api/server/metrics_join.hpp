#pragma once
// Several processes' OpenMetrics texts as one: each sample gets the label process="name-pid", families stay together, one "# EOF".

#include <string>
#include <utility>
#include <vector>

namespace postroom::api {

std::string join_metrics(const std::vector<std::pair<std::string, std::string>>& texts_by_process);

}  // namespace postroom::api
