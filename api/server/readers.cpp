#include "api/server/readers.hpp"

#include "common/base/log.hpp"
#include "common/store/reading.hpp"

namespace postroom::api {

namespace {
constexpr std::size_t longest_queue = 1'000;
}

Readers::Readers(std::filesystem::path database, std::size_t threads) : database_(std::move(database)) {
  for (std::size_t n = 0; n < threads; ++n) threads_.emplace_back([this] { run(); });
}

Readers::~Readers() { stop(); }

void Readers::stop() {
  {
    const std::lock_guard guard{mutex_};
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

bool Readers::read(Work work) {
  {
    const std::lock_guard guard{mutex_};
    if (queue_.size() >= longest_queue) return false;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void Readers::go_on(Work work) {
  {
    const std::lock_guard guard{mutex_};
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void Readers::run() {
  std::unique_ptr<store::Reading> reading;
  while (true) {
    Work work;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    if (reading == nullptr) {
      auto opened = store::open_reading(database_);
      if (opened) {
        reading = std::move(*opened);
      } else {
        log::debug("the database cannot be read", {{"why", opened.error().text()}});
      }
    }
    work(reading.get());
  }
}

}  // namespace postroom::api
