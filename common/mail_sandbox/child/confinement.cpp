#include "common/mail_sandbox/child/confinement.hpp"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace postroom::mail_sandbox {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

bool limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  return setrlimit(resource, &both) == 0;
}

bool install_filter() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return false;
  bool is_built = true;
  const auto allow = [&](int call) { is_built = is_built && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0; };
  for (const int call :
       {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
        SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn)}) {
    allow(call);
  }
  // Hosts without a vdso, and a clean abort().
  for (const int call : {SCMP_SYS(clock_gettime), SCMP_SYS(getrandom), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),
                         SCMP_SYS(gettid), SCMP_SYS(tgkill)})
    allow(call);
  const scmp_arg_cmp memory_only[] = {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0},
                                      {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS}};
  is_built = is_built && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, memory_only) == 0;
  for (const int call : {SCMP_SYS(openat), SCMP_SYS(newfstatat)})
    is_built = is_built && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), call, 0) == 0;
  if (is_sanitized) {  // the sanitizers' own needs
    for (const int call : {SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(mprotect), SCMP_SYS(close),
                           SCMP_SYS(getppid), SCMP_SYS(readlink)})
      allow(call);
  }
  is_built = is_built && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return is_built;
}

}  // namespace

std::string confine() {
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NPROC, 0) || !limit(RLIMIT_FSIZE, 0)) return "limits";
  if (!is_sanitized && !limit(RLIMIT_AS, memory_limit_bytes)) return "memory limit";
  if (close_range(3, ~0U, 0) != 0) return "descriptors";
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return "privileges";
  if (!install_filter()) return "system call filter";
  return {};
}

int attempt(const std::string& what) {
  const auto outcome = [](long result) { return result < 0 ? errno : 0; };
  if (what == "open") return outcome(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
  if (what == "create") return outcome(open("/tmp/postroom-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (what == "stat") {
    struct stat about {};
    return outcome(stat("/etc", &about));
  }
  if (what == "socket") return outcome(socket(AF_INET, SOCK_STREAM, 0));
  if (what == "exec") return outcome(execl("/bin/true", "true", static_cast<char*>(nullptr)));
  if (what == "fork") return outcome(fork());
  if (what == "kill") return outcome(kill(getppid(), 0));
  if (what == "map-code")
    return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? errno
               : 0;
  if (what == "raise-limit") {
    const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
    return outcome(setrlimit(RLIMIT_CPU, &more));
  }
  return EINVAL;
}

}  // namespace postroom::mail_sandbox
