#pragma once
// A ledger whose machine loses power again and again, and everything around it that does not: a broker that keeps what
// was not acknowledged, a worker, the far side, and who remembers what the ledger promised.

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/store/database.hpp"
#include "tests/support/fake_broker.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/power_disk.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workers/ledger/rounds.hpp"

namespace postroom::ledger {

// What is broken on purpose, to see that the judge can fail.
enum class Plant { nothing, synchronous_off, synchronous_normal, commit_after_ack };

class PowerWorld {
 public:
  PowerWorld(std::uint64_t seed, Plant plant);

  // From the machine's start to the next cut. What was promised and is not there: violations().
  void live_until_a_cut();
  // A last start without a cut: everything that is under way comes to its end, and is counted.
  void live_on();

  const std::vector<std::string>& violations() const { return violations_; }
  int cuts() const { return cuts_; }
  std::size_t promises() const { return promises_.size(); }
  std::size_t tickets() const { return posts_.size(); }

 private:
  struct Promise {  // this question has this answer from now on: at least one row
    std::string sql, id, message_id;
  };
  struct Held {  // by the broker, until it is acknowledged
    broker::Delivery delivery;
    std::vector<Promise> promises;
  };
  struct Life;

  void send(std::string_view type, std::string body, std::string_view user, std::string_view queue,
            std::vector<Promise> promises);
  template <class M>
  void send(const M& message, std::string_view user, std::string_view queue, std::vector<Promise> promises);
  void deliver(Life& life);
  void acknowledged(const std::vector<broker::Delivery>& deliveries);
  bool start(Life& life, std::int64_t operations_until_cut);
  bool settle(Life& life);
  void customers();
  void post();
  void worker(Life& life);
  void work(const broker::Outgoing& job);
  void answer(const broker::Outgoing& message);
  void judge(store::Database& database);
  void judge_end(store::Database& database);
  std::int64_t number(store::Database& database, std::string_view sql, std::string_view parameter = {});
  void violation(std::string what);
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(dice_() % limit); }

  std::mt19937_64 dice_;
  Plant plant_;
  Config config_;
  fakes::ManualClock clock_;
  fakes::CountingIds ids_;
  std::unique_ptr<support::ScratchFolder> folder_;
  std::deque<Held> broker_;
  std::uint64_t last_tag_ = 0;
  std::size_t delivered_ = 0;  // of broker_, in this life
  bool is_ended_ = false;      // the process of this life

  std::vector<Promise> promises_;
  std::vector<std::string> posts_, violations_;  // ids of tickets; what went wrong
  std::set<std::string> known_;                  // tickets whose post was acknowledged
  std::map<std::string, std::string> tokens_;    // token → type of its job
  std::map<std::string, int> created_;           // delivery → objects on the far side
  int cuts_ = 0;
};

}  // namespace postroom::ledger
