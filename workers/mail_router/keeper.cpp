#include "workers/mail_router/keeper.hpp"

#include <utility>

namespace postroom::mail_router {

Keeper::Keeper(Executor owner) : owner_(std::move(owner)), thread_([this] { work(); }) {}

Keeper::~Keeper() {
  {
    const std::lock_guard lock{mutex_};
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Keeper::keep(blob::Batch batch, std::function<void(Result<void>)> done) {
  {
    const std::lock_guard lock{mutex_};
    orders_.push_back({std::move(batch), std::move(done)});
  }
  wake_.notify_one();
}

void Keeper::work() {
  while (true) {
    std::vector<Order> taken;
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return is_ending_ || !orders_.empty(); });
      if (is_ending_) return;
      taken.swap(orders_);
    }
    std::vector<blob::Batch*> batches;
    for (Order& order : taken) batches.push_back(&order.batch);
    const Result<void> kept = blob::Batch::commit_together(batches);
    for (Order& order : taken) owner_([done = std::move(order.done), kept] { done(kept); });
  }
}

}  // namespace postroom::mail_router
