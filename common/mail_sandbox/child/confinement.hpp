#pragma once
// What the child gives up before it reads the first mail: memory, files, network, other programs.

#include <string>

namespace postroom::mail_sandbox {

constexpr unsigned long long memory_limit_bytes =
    320ULL << 20;  // of address space; not under AddressSanitizer or ThreadSanitizer

// Limits, then a system call filter for good: read, write, memory, time and a clean death are left. Opening a file
// fails with ENOENT, because iconv looks for charsets that it does not know; anything else kills the process. Empty: in
// force; else what went wrong.
std::string confine();

// Tries what must not work, after confine(): open, stat, socket, exec, fork, kill, map-code, raise-limit. Returns when
// it failed harmlessly, with the errno; 0 means that it worked. Most never return.
int attempt(const std::string& what);

}  // namespace postroom::mail_sandbox
