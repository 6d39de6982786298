#pragma once
// A thread that makes batches durable, so that a loop never waits for a disk: while one flush runs, the batches of the next
// gather, and are flushed together.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/blob/batch.hpp"

namespace postroom::blob {

class Keeper {
 public:
  using Executor = std::function<void(std::function<void()>)>;  // runs on the owner's thread, in order; called from any

  explicit Keeper(Executor owner);
  ~Keeper();  // after the flush under way, whose answers may still be posted; what has not begun is removed
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Thread: the owner's. `done` on the owner's thread, in the order of the calls. io: nothing of the batch may be told of.
  void keep(Batch batch, std::function<void(Result<void>)> done);

 private:
  struct Order {
    Batch batch;
    std::function<void(Result<void>)> done;
  };
  void work();

  Executor owner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Order> orders_;
  bool is_ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace postroom::blob
