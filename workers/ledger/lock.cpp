#include "workers/ledger/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"

namespace postroom::ledger {

namespace {

constexpr timespec look_again{0, 500'000'000};

Error failure(std::string_view what, const std::filesystem::path& where) { return Error{Code::io, fmt::format("{}: {}", what, std::strerror(errno)), where.string()}; }

std::string content_of(int descriptor) {
  char bytes[256];
  const ssize_t count = pread(descriptor, bytes, sizeof bytes, 0);
  return count <= 0 ? std::string{} : std::string{bytes, static_cast<std::size_t>(count)};
}

// When a process started, in clock ticks since boot (proc(5), field 22): with the pid it names one process for ever.
std::string start_of(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/stat", pid);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char bytes[1024];
  const ssize_t count = read(file, bytes, sizeof bytes);
  close(file);
  if (count <= 0) return {};
  // The name in parentheses may hold anything; the fields after its end do not.
  std::string_view text{bytes, static_cast<std::size_t>(count)};
  const auto end = text.rfind(')');
  if (end == std::string_view::npos) return {};
  const auto fields = split(text.substr(end + 2), ' ');
  return fields.size() > 19 ? std::string{fields[19]} : std::string{};
}

std::string own_name() { return fmt::format("{} {}\n", getpid(), start_of(getpid())); }

std::int64_t beat_of(const std::filesystem::path& beat_file) {
  struct stat status {};
  if (stat(beat_file.c_str(), &status) != 0) return 0;
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// The holder named in the lock file, if that very process still lives: its pid may be another's by now.
void end_holder(const std::string& holder) {
  const auto parts = split(trimmed(holder), ' ');
  if (parts.size() != 2) return;
  const pid_t pid = std::atoi(std::string{parts[0]}.c_str());
  if (pid <= 1 || pid == getpid()) return;
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return;
  if (start_of(pid) == parts[1]) {
    log::error("the holder's beat stands still: it is ended", {{"holder", std::to_string(pid)}});
    syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, nullptr, 0);
  }
  close(descriptor);
}

// SIGTERM and SIGINT while we wait: there is no loop yet to take them.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  bool comes_within(const timespec& time) { return sigtimedwait(&set_, nullptr, &time) > 0; }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

}  // namespace

bool BeatWatch::is_stale(const std::string& holder, std::int64_t beat, std::chrono::steady_clock::time_point now) {
  if (holder != holder_ || beat != beat_) {
    holder_ = holder;
    beat_ = beat;
    changed_ = now;
    return false;
  }
  return now - changed_ > stale_;
}

Result<std::optional<HolderLock>> HolderLock::wait(const std::filesystem::path& lock_file, const std::filesystem::path& beat_file,
                                                   std::chrono::milliseconds beat_stale) {
  const int lock = open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return failure("cannot open the lock file", lock_file);
  HolderLock held{lock, -1};  // owns the descriptor from here on
  HeldSignals signals;
  BeatWatch watch{beat_stale};
  bool is_told = false;
  while (!saboteur("lock_not_taken") && flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failure("cannot lock", lock_file);
    if (!is_told) log::info("another ledger holds the lock; waiting", {{"holder", std::string{trimmed(content_of(lock))}}});
    is_told = true;
    const std::string holder = content_of(lock);
    if (watch.is_stale(holder, beat_of(beat_file), std::chrono::steady_clock::now())) end_holder(holder);
    if (signals.comes_within(look_again)) return std::optional<HolderLock>{};
  }
  held.beat_ = open(beat_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (held.beat_ < 0) return failure("cannot open the beat file", beat_file);
  held.beat();
  const std::string name = own_name();
  if (ftruncate(lock, 0) != 0 || pwrite(lock, name.data(), name.size(), 0) != static_cast<ssize_t>(name.size())) {
    return failure("cannot write the lock file", lock_file);
  }
  return std::optional<HolderLock>{std::move(held)};
}

HolderLock::HolderLock(HolderLock&& other) noexcept : lock_(std::exchange(other.lock_, -1)), beat_(std::exchange(other.beat_, -1)) {}

HolderLock::~HolderLock() {
  if (beat_ >= 0) close(beat_);
  if (lock_ >= 0) close(lock_);
}

void HolderLock::beat() { futimens(beat_, nullptr); }

}  // namespace postroom::ledger
