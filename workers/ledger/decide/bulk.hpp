#pragma once
// The progress of a bulk job, as the status of its command shows it.

#include <string>

#include "common/store/rows.hpp"

namespace postroom::ledger {

std::string progress_json(const store::BulkJobRow& job);

}  // namespace postroom::ledger
