#pragma once
// Which published messages the broker still owes a word on. Delivery tags of a channel in confirm mode count up from 1; confirms come in any
// order, and one with `multiple` settles everything up to its tag. No I/O.

#include <cstdint>
#include <deque>
#include <utility>

namespace postroom::broker {

template <class Item>
class Confirms {
 public:
  // The message that was just written takes the next tag.
  void written(Item item, std::size_t byte_count) {
    slots_.push_back({std::move(item), byte_count, false});
    bytes_ += byte_count;
  }

  // Calls `each(item)` for what this word settles, oldest first. Tags that are unknown or settled already are ignored.
  template <class Each>
  void settle(std::uint64_t tag, bool multiple, Each&& each) {
    if (tag == 0) tag = multiple ? first_tag_ + slots_.size() - 1 : 0;  // AMQP 0-9-1: 0 with multiple means all
    if (tag < first_tag_ || tag >= first_tag_ + slots_.size()) return;
    const auto last = static_cast<std::size_t>(tag - first_tag_);
    for (std::size_t i = multiple ? 0 : last; i <= last; ++i) settle_slot(slots_[i], each);
    while (!slots_.empty() && slots_.front().is_settled) {
      slots_.pop_front();
      ++first_tag_;
    }
  }

  // The first unsettled item for which `matches` holds, or nullptr.
  template <class Matches>
  Item* find(Matches&& matches) {
    for (auto& slot : slots_) {
      if (!slot.is_settled && matches(slot.item)) return &slot.item;
    }
    return nullptr;
  }

  // The link is gone: everything unsettled, oldest first; a new channel starts at tag 1.
  std::deque<Item> take_all() {
    std::deque<Item> items;
    for (auto& slot : slots_) {
      if (!slot.is_settled) items.push_back(std::move(slot.item));
    }
    slots_.clear();
    bytes_ = 0;
    first_tag_ = 1;
    return items;
  }

  std::size_t bytes() const { return bytes_; }  // unconfirmed
  bool empty() const { return bytes_ == 0; }

 private:
  struct Slot {
    Item item;
    std::size_t byte_count;
    bool is_settled;
  };

  template <class Each>
  void settle_slot(Slot& slot, Each&& each) {
    if (slot.is_settled) return;
    slot.is_settled = true;
    bytes_ -= slot.byte_count;
    each(slot.item);
    slot.item = Item{};
  }

  std::deque<Slot> slots_;
  std::uint64_t first_tag_ = 1;
  std::size_t bytes_ = 0;
};

}  // namespace postroom::broker
