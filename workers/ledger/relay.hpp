#pragma once
// Publishes `outgoing`: rows are handed to the publisher after their commit, and deleted in a later transaction once the broker has them.
// A row that comes back (returned, rejected) waits alone; the others go on. What may be lost goes out from memory, once.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/clock.hpp"
#include "common/broker/broker.hpp"
#include "common/store/database.hpp"
#include "workers/ledger/books.hpp"

namespace postroom::ledger {

class Relay {
 public:
  // `woken` is called when there is something to write: confirmed rows to delete, or rows to put off.
  Relay(broker::Publisher& publisher, const Clock& clock, std::chrono::milliseconds retry_after, std::function<void()> woken);
  ~Relay();

  Result<void> load(store::Database& database);  // what an earlier process left

  void take(std::vector<store::OutgoingRow> rows);  // just committed
  void publish(const MayDrop& message);
  void publish_due();                                // as many as the window lets through

  bool has_writing() const { return !arrived_.empty() || !put_off_.empty(); }
  // Deletes what has arrived and notes what waits, inside the caller's transaction; written() after its commit.
  Result<void> write(store::Database& database);
  void written();

  std::optional<std::int64_t> next_due() const;  // of a row that waits
  std::size_t depth() const { return rows_.size(); }

 private:
  void submit(const store::OutgoingRow& row);
  void answered(std::int64_t seq, broker::Published result);

  broker::Publisher& publisher_;
  const Clock& clock_;
  std::int64_t retry_after_;
  std::function<void()> woken_;
  std::map<std::int64_t, store::OutgoingRow> rows_;              // all that the broker has not confirmed
  std::set<std::pair<std::int64_t, std::int64_t>> waiting_;      // (not_before, seq)
  std::set<std::int64_t> under_way_;
  std::vector<std::int64_t> arrived_;
  std::vector<std::int64_t> put_off_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);  // callbacks may outlive us by one stop()
};

}  // namespace postroom::ledger
