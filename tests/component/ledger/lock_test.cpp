// Two holders with real processes.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "tests/support/scratch.hpp"
#include "workers/ledger/lock.hpp"

using namespace postroom;
using namespace postroom::ledger;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds stale{2'000};  // a busy machine or a slow disk may keep a holder from its next beat for a while

// A process that takes the lock, says so, and beats until it dies.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& folder) {
    int says[2];
    REQUIRE(pipe(says) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      auto lock = HolderLock::wait(folder / "lock", folder / "beat", stale);
      if (!lock.ok() || !*lock) _exit(lock.ok() ? 0 : 1);
      if (write(says[1], "x", 1) != 1) _exit(2);
      while (true) {
        (*lock)->beat();
        usleep(50'000);
      }
    }
    close(says[1]);
    says_ = says[0];
  }
  ~Holder() {
    close(says_);
    if (pid_ > 0) end(SIGKILL);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void wait_until_it_holds() {
    char byte = 0;
    REQUIRE(read(says_, &byte, 1) == 1);
  }
  bool holds_within(milliseconds time) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(says_, &readable);
    timeval limit{time.count() / 1'000, (time.count() % 1'000) * 1'000};
    return select(says_ + 1, &readable, nullptr, nullptr, &limit) == 1;
  }
  void signal(int number) { kill(pid_, number); }
  int end(int number) {
    kill(pid_, number);
    kill(pid_, SIGCONT);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  // How it ended, without our doing.
  int wait_for_end() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int says_ = -1;
};

}  // namespace

TEST_CASE("the second waits as long as the first beats, and holds when the first dies") {
  const fakes::ScratchFolder folder;
  Holder first{folder.path()};
  first.wait_until_it_holds();
  Holder second{folder.path()};
  CHECK_FALSE(second.holds_within(milliseconds{4'000}));
  first.end(SIGKILL);
  CHECK(second.holds_within(milliseconds{20'000}));
}

TEST_CASE("a holder that stands still is ended, and the lock changes hands") {
  const fakes::ScratchFolder folder;
  Holder first{folder.path()};
  first.wait_until_it_holds();
  Holder second{folder.path()};
  first.signal(SIGSTOP);
  REQUIRE(second.holds_within(milliseconds{20'000}));
  const int status = first.wait_for_end();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("told to stop while waiting, it goes without the lock") {
  const fakes::ScratchFolder folder;
  Holder first{folder.path()};
  first.wait_until_it_holds();
  Holder second{folder.path()};
  CHECK_FALSE(second.holds_within(milliseconds{700}));
  const int status = second.end(SIGTERM);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a stale name in the lock file ends nobody") {
  const fakes::ScratchFolder folder;
  // The name of a process that is long gone, whose pid is another's now: ours.
  FILE* file = fopen((folder.path() / "lock").c_str(), "w");
  REQUIRE(file != nullptr);
  fprintf(file, "%d 1\n", getpid());
  fclose(file);
  Holder first{folder.path()};
  first.wait_until_it_holds();
  CHECK(true);  // still here
}

TEST_CASE("a beat is judged by its changes on our own clock") {
  BeatWatch watch{milliseconds{5'000}};
  const auto start = std::chrono::steady_clock::time_point{std::chrono::hours{1}};
  CHECK_FALSE(watch.is_stale("1 1", 100, start));
  CHECK_FALSE(watch.is_stale("1 1", 100, start + milliseconds{5'000}));
  CHECK(watch.is_stale("1 1", 100, start + milliseconds{5'001}));
  CHECK_FALSE(watch.is_stale("1 1", 101, start + milliseconds{60'000}));
  CHECK_FALSE(watch.is_stale("1 1", 99, start + milliseconds{120'000}));  // the wall clock was set back
  CHECK_FALSE(watch.is_stale("2 2", 99, start + milliseconds{180'000}));  // another holder
}
