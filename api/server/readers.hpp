#pragma once
// A few threads that read the state, each with its own read-only connection, so that a slow disk never holds the loop up.

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace postroom::store {
class Reading;
}

namespace postroom::api {

class Readers {
 public:
  // Work gets the thread's reading; nullptr while the database is not there or cannot be opened (tried again each time).
  using Work = std::function<void(store::Reading*)>;

  explicit Readers(std::filesystem::path database, std::size_t threads = 2);
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // False: too much is queued already (1,000 reads); nothing was taken.
  bool read(Work work);
  // The next step of what was begun: always taken. Who calls it bounds how many there are.
  void go_on(Work work);

  void stop();  // finishes what is queued and joins the threads

 private:
  void run();

  std::filesystem::path database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace postroom::api
