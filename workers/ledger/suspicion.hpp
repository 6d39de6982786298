#pragma once
// After an abnormal end, whatever is redelivered may be what ended us. Each such message is noted durably before it is touched; three notes
// without an end put it on standby. The note of the next one shares the transaction of the one before, so that suspicion costs one commit each.

#include <cstdint>
#include <string>

#include "common/broker/broker.hpp"
#include "common/store/database.hpp"

namespace postroom::ledger {

class Suspicion {
 public:
  explicit Suspicion(store::Database& database) : database_(database) {}

  Result<void> open();   // was the last end clean? From now on it is not, until close()
  Result<void> close();

  bool is_aroused() const { return is_aroused_; }
  void calm() { is_aroused_ = false; }  // a new link: what it redelivers was not held when we fell

  // Strikes so far with this one, noted and committed. Opens a transaction of its own when the note is not there yet.
  Result<std::int64_t> note(const broker::Delivery& delivery, std::int64_t now);
  // Inside the round's transaction: this one is done, that one is next (may be null).
  Result<void> passed(const broker::Delivery& done, const broker::Delivery* next, std::int64_t now);

  void rolled_back() { noted_.clear(); }  // the note of the next one went with the round

  static constexpr std::int64_t last_strike = 3;

 private:
  Result<void> strike(const broker::Delivery& delivery, std::int64_t now);

  store::Database& database_;
  bool is_aroused_ = false;
  std::string noted_;  // key of the message that is noted and not passed
};

}  // namespace postroom::ledger
