#pragma once
// The lock that makes one ledger the only one: flock on a file of its own, held for the life of the process. The holder touches a beat from its
// main loop; whoever waits and sees the beat stand still kills the holder, because a stopped process holds its lock for ever.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "common/base/result.hpp"

namespace postroom::ledger {

class HolderLock {
 public:
  // Waits for the lock, as long as it takes; looks at the beat twice a second. `stop_signals_pending` is asked in between.
  // None: told to stop while waiting. Errors: io.
  static Result<std::optional<HolderLock>> wait(const std::filesystem::path& lock_file, const std::filesystem::path& beat_file,
                                                std::chrono::milliseconds beat_stale);

  HolderLock(HolderLock&& other) noexcept;
  HolderLock& operator=(HolderLock&&) = delete;
  ~HolderLock();  // the file stays; the lock goes with the descriptor

  void beat();  // from the main loop, about once a second

 private:
  HolderLock(int lock, int beat) : lock_(lock), beat_(beat) {}
  int lock_;
  int beat_;
};

// Whether a holder shows life, judged by changes seen on our own steady clock: neither clock steps nor our own standing still mislead it.
class BeatWatch {
 public:
  explicit BeatWatch(std::chrono::milliseconds stale) : stale_(stale) {}
  // `holder`: what the lock file says now; `beat`: the beat's time stamp. True: it stood still for too long.
  bool is_stale(const std::string& holder, std::int64_t beat, std::chrono::steady_clock::time_point now);

 private:
  std::chrono::milliseconds stale_;
  std::string holder_;
  std::int64_t beat_ = -1;
  std::chrono::steady_clock::time_point changed_{};
};

}  // namespace postroom::ledger
