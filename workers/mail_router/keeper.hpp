#pragma once
// A thread that makes blobs durable, so that the loop never waits for a disk: while one flush runs, the batches of the next
// gather, and are flushed together.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/blob/batch.hpp"

namespace postroom::mail_router {

class Keeper {
 public:
  using Executor = std::function<void(std::function<void()>)>;  // runs on the owner's thread, in order; from any thread

  explicit Keeper(Executor owner);
  ~Keeper();  // ends the flush under way; its answers may still be posted
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Thread: the owner's. `done` on the owner's thread. io: nothing of the batch may be told of; it is gone.
  void keep(blob::Batch batch, std::function<void(Result<void>)> done);

 private:
  struct Order {
    blob::Batch batch;
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

}  // namespace postroom::mail_router
