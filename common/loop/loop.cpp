#include "common/loop/loop.hpp"

#include <uv.h>

#include <cstdlib>
#include <mutex>
#include <vector>

namespace postroom::loop {

namespace {

struct Signal {
  uv_signal_t handle{};
  std::function<void()> handler;
};

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

struct Loop::Parts {
  uv_loop_t loop{};
  uv_async_t wake{};
  std::mutex lock;
  std::vector<std::function<void()>> posted;
  std::vector<std::unique_ptr<Signal>> signals;

  void run_posted() {
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard hold{lock};
      work.swap(posted);
    }
    for (auto& one : work) one();
  }
};

Loop::Loop() : parts_(std::make_unique<Parts>()) {
  if (uv_loop_init(&parts_->loop) != 0) std::abort();
  uv_async_init(&parts_->loop, &parts_->wake, [](uv_async_t* handle) { static_cast<Parts*>(handle->data)->run_posted(); });
  parts_->wake.data = parts_.get();
}

Loop::~Loop() {
  uv_close(as_handle(&parts_->wake), nullptr);
  for (auto& signal : parts_->signals) uv_close(as_handle(&signal->handle), nullptr);
  uv_run(&parts_->loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&parts_->loop) != 0) std::abort();  // somebody still owns a handle
}

void Loop::run() { uv_run(&parts_->loop, UV_RUN_DEFAULT); }
void Loop::stop() { uv_stop(&parts_->loop); }
void* Loop::handle() { return &parts_->loop; }

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard hold{parts_->lock};
    parts_->posted.push_back(std::move(work));
  }
  uv_async_send(&parts_->wake);
}

void Loop::on_signal(int number, std::function<void()> handler) {
  auto signal = std::make_unique<Signal>();
  signal->handler = std::move(handler);
  signal->handle.data = signal.get();
  uv_signal_init(&parts_->loop, &signal->handle);
  uv_signal_start(&signal->handle, [](uv_signal_t* handle, int) { static_cast<Signal*>(handle->data)->handler(); }, number);
  parts_->signals.push_back(std::move(signal));
}

struct Timer::Parts {
  uv_timer_t handle{};
  std::function<void()> fire;
};

Timer::Timer(Loop& loop, std::function<void()> fire) : parts_(new Parts) {
  parts_->fire = std::move(fire);
  parts_->handle.data = parts_;
  uv_timer_init(static_cast<uv_loop_t*>(loop.handle()), &parts_->handle);
}

Timer::~Timer() {
  uv_close(as_handle(&parts_->handle), [](uv_handle_t* handle) { delete static_cast<Parts*>(handle->data); });
}

void Timer::after(std::chrono::milliseconds delay) {
  uv_update_time(parts_->handle.loop);
  const auto wait = delay.count() < 0 ? 0 : static_cast<std::uint64_t>(delay.count());
  uv_timer_start(&parts_->handle, [](uv_timer_t* handle) { static_cast<Parts*>(handle->data)->fire(); }, wait, 0);
}

void Timer::cancel() { uv_timer_stop(&parts_->handle); }

}  // namespace postroom::loop
