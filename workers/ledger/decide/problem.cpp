#include "workers/ledger/decide/problem.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"

namespace postroom::ledger {

std::string problem_json(const Problem& problem, std::string_view command_id) {
  std::string out = fmt::format(R"({{"type":"urn:postroom:problem:{}","title":"{}","status":{},"detail":"{}","instance":"/v1/commands/{}","command_id":"{}")",
                                problem.slug, json_escaped(problem.title), problem.status, json_escaped(problem.detail), json_escaped(command_id),
                                json_escaped(command_id));
  if (!problem.pointer.empty()) {
    out += fmt::format(R"(,"errors":[{{"pointer":"{}","detail":"{}"}}])", json_escaped(problem.pointer), json_escaped(problem.detail));
  }
  return out + "}";
}

Decision refused(const Problem& problem, std::string_view command_id) {
  Decision decision;
  decision.reply(problem.status, problem_json(problem, command_id));
  return decision;
}

Decision not_found(std::string_view what, std::string_view id, std::string_view command_id) {
  return refused({404, "not-found", "Not found", fmt::format("There is no {} with the id {}.", what, id), ""}, command_id);
}

Decision version_mismatch(std::int64_t current, std::string_view command_id) {
  return refused({412, "version-mismatch", "Changed meanwhile",
                  fmt::format("The current version is {}: read it again, then repeat the change with its ETag.", current), ""},
                 command_id);
}

}  // namespace postroom::ledger
