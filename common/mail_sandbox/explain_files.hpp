#pragma once
// `postroom mail explain FILE…` without its command line: files through the sandbox, one explanation each, in the order
// given.

#include <filesystem>
#include <functional>
#include <vector>

#include "common/mail/explain.hpp"
#include "common/mail_sandbox/sandbox.hpp"

namespace postroom::mail_sandbox {

// Calls `each` once for every file, also for one that cannot be read or that breaks the child (verdict unparsable).
// Runs a loop of its own until all are told. How many could not be read; unavailable: the sandbox cannot be started, and
// the files told so far stay told.
Result<std::size_t> explain_files(const std::vector<std::filesystem::path>& files, const mail::ExplainContext& context,
                           const Options& options, const std::function<void(const mail::Explanation&)>& each);

}  // namespace postroom::mail_sandbox
