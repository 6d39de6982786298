#pragma once
// One libuv loop: the owner thread of a worker. Timers are one-shot and re-armed by their owner, so an idle loop sleeps until the next due time.

#include <chrono>
#include <functional>
#include <memory>

#include "common/base/clock.hpp"

namespace postroom::loop {

class Loop {
 public:
  Loop();
  ~Loop();  // all timers and other handles must be gone
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop()
  void stop();  // thread: the loop's

  // Runs `work` on the loop's thread, in order of posting. Thread: any.
  void post(std::function<void()> work);

  void on_signal(int number, std::function<void()> handler);  // SIGTERM, SIGINT, …

  void* handle();  // uv_loop_t*, for common/http and common/loop only

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> fire);
  ~Timer();  // closes the handle; may be destroyed inside its own callback
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void after(std::chrono::milliseconds delay);  // once; re-arms
  void cancel();

 private:
  struct Parts;
  Parts* parts_;
};

}  // namespace postroom::loop
