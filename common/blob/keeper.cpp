#include "common/blob/keeper.hpp"

#include <utility>

namespace postroom::blob {

Keeper::Keeper(Executor owner) : owner_(std::move(owner)), thread_([this] { work(); }) {}

Keeper::~Keeper() {
  {
    const std::lock_guard hold{mutex_};
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Keeper::keep(Batch batch, std::function<void(Result<void>)> done) {
  {
    const std::lock_guard hold{mutex_};
    orders_.push_back({std::move(batch), std::move(done)});
  }
  wake_.notify_one();
}

void Keeper::work() {
  while (true) {
    std::vector<Order> taken;
    {
      std::unique_lock hold{mutex_};
      wake_.wait(hold, [this] { return is_ending_ || !orders_.empty(); });
      if (is_ending_) return;
      taken.swap(orders_);
    }
    std::vector<Batch*> batches;
    for (Order& order : taken) batches.push_back(&order.batch);
    const Result<void> kept = Batch::commit_together(batches);
    for (Order& order : taken) owner_([done = std::move(order.done), kept] { done(kept); });
  }
}

}  // namespace postroom::blob
