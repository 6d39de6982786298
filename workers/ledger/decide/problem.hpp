#pragma once
// Answers: {"data": …} and RFC 9457 problems.

#include <string>
#include <string_view>

#include "workers/ledger/decide/decision.hpp"

namespace postroom::ledger {

struct Problem {
  std::int64_t status;
  std::string_view slug;   // urn:postroom:problem:<slug>
  std::string_view title;
  std::string detail;      // what was wrong here, and what to do
  std::string pointer;     // JSON pointer into the request; empty = the whole
};

std::string problem_json(const Problem& problem, std::string_view command_id);

// The decision that changes nothing and answers with the problem.
Decision refused(const Problem& problem, std::string_view command_id);

Decision not_found(std::string_view what, std::string_view id, std::string_view command_id);
Decision version_mismatch(std::int64_t current, std::string_view command_id);

}  // namespace postroom::ledger
