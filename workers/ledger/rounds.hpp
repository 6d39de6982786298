#pragma once
// The ledger's turn: what arrived and what is due, in one transaction; the commit; then the acks, the replies, the relay. Knows the ports only:
// main wires it to the loop, tests turn it by hand.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/config.hpp"
#include "common/base/ids.hpp"
#include "common/broker/broker.hpp"
#include "workers/ledger/books.hpp"
#include "workers/ledger/chores.hpp"
#include "workers/ledger/dispatcher.hpp"
#include "workers/ledger/intake.hpp"
#include "workers/ledger/relay.hpp"
#include "workers/ledger/suspicion.hpp"

namespace postroom::ledger {

struct Ports {
  store::Database& database;
  broker::Publisher& publisher;
  broker::Consumer& consumer;
  const Clock& clock;
  IdSource& ids;
  std::function<double()> chance;
};

class Rounds {
 public:
  // `wake`: somebody should call turn() soon. `die`: the disk cannot be trusted any more; does not return in a real process.
  Rounds(Ports ports, const Config& config, std::function<void()> wake, std::function<void(const Error&)> die);

  // Migrated database. Reads sequences, what the last process left in `outgoing`, and whether it ended cleanly.
  Result<void> open();
  Result<void> close();  // notes the clean end; once, after the consumer went quiet

  void arrived(std::vector<broker::Delivery> deliveries);
  void link_changed(broker::LinkState state);  // of the consumer: what is held of an older link comes again

  // One round. When there is more, or something is due: in how long to call again. None: only when woken.
  std::optional<std::chrono::milliseconds> turn();

  const std::string& trouble() const { return trouble_; }  // "" when the database works
  std::size_t held() const { return now_.size() + results_.size() + intake_.size() + careful_.size(); }

 private:
  struct Batch {
    std::vector<broker::Delivery> deliveries;
    bool is_careful = false;
  };

  Batch choose();
  Result<Aftermath> apply(const Batch& batch, Context& context);
  Result<Aftermath> apply_one(const broker::Delivery& delivery, Context& context);
  Result<Aftermath> run_round(const Batch& batch, Context& context);
  void after_commit(Batch batch, Aftermath after);
  void put_back(Batch batch);
  std::optional<std::chrono::milliseconds> failed(Batch batch, const Error& error);
  std::optional<std::chrono::milliseconds> until_next();
  Result<void> follow_wall_clock();
  bool has_work(std::int64_t now);

  Ports ports_;
  const Config& config_;
  std::function<void()> wake_;
  std::function<void(const Error&)> die_;
  Books books_;
  Intake intake_of_;
  Dispatcher dispatcher_;
  Chores chores_;
  Relay relay_;
  Suspicion suspicion_;

  std::deque<broker::Delivery> now_, results_, intake_, shelf_;
  std::deque<broker::Delivery> careful_;  // redelivered after an abnormal end: one at a time
  std::int64_t history_seq_ = 0;
  std::optional<std::int64_t> chores_due_ = 0;
  std::int64_t wall_offset_ = 0;  // wall minus steady, microseconds
  std::string trouble_;
};

}  // namespace postroom::ledger
