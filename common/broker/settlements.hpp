#pragma once
// Which deliveries of a channel are settled, and the fewest acks that say so: one with `multiple` for the settled prefix, single ones beyond a
// gap. A tag is settled once; a second word on it would make the broker close the channel, so it is ignored here. No I/O.

#include <cstdint>
#include <deque>
#include <vector>

namespace postroom::broker {

struct Settlement {
  enum class Kind { ack, ack_up_to, reject, requeue } kind;
  std::uint64_t tag;
  bool operator==(const Settlement&) const = default;
};

class Settlements {
 public:
  void delivered(std::uint64_t tag) {
    if (states_.empty()) first_tag_ = tag;
    states_.push_back(State::held);
  }

  void ack(std::uint64_t tag) {
    if (State* state = held(tag)) {
      *state = State::acked;
      acked_.push_back(tag);
    }
  }

  void reject(std::uint64_t tag, bool requeue) {
    if (State* state = held(tag)) {
      *state = State::told;
      rejected_.push_back({requeue ? Settlement::Kind::requeue : Settlement::Kind::reject, tag});
    }
  }

  // What to tell the broker now; told once. Rejects first, so that they are not swept up by an ack of the prefix.
  std::vector<Settlement> take() {
    std::vector<Settlement> out = std::move(rejected_);
    rejected_.clear();
    std::uint64_t last_acked = 0;
    std::size_t count = 0;
    while (!states_.empty() && states_.front() != State::held) {
      if (states_.front() == State::acked) {
        last_acked = first_tag_;
        ++count;
      }
      states_.pop_front();
      ++first_tag_;
    }
    if (count > 0) out.push_back({count == 1 ? Settlement::Kind::ack : Settlement::Kind::ack_up_to, last_acked});
    for (const auto tag : acked_) {
      if (tag < first_tag_) continue;
      states_[static_cast<std::size_t>(tag - first_tag_)] = State::told;
      out.push_back({Settlement::Kind::ack, tag});
    }
    acked_.clear();
    return out;
  }

  void reset() { *this = {}; }  // the link is gone

 private:
  enum class State : std::uint8_t { held, acked, told };

  State* held(std::uint64_t tag) {
    if (tag < first_tag_ || tag >= first_tag_ + states_.size()) return nullptr;
    State* state = &states_[static_cast<std::size_t>(tag - first_tag_)];
    return *state == State::held ? state : nullptr;
  }

  std::deque<State> states_;
  std::uint64_t first_tag_ = 1;
  std::vector<std::uint64_t> acked_;
  std::vector<Settlement> rejected_;
};

}  // namespace postroom::broker
