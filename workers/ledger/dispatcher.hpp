#pragma once
// Chooses what goes out next, destination by destination: each is looked at when something touched it or its time came, and costs as much as
// it dispatches. One dead destination is one row with a far wake-up time to all others.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "workers/ledger/books.hpp"

namespace postroom::ledger {

class Dispatcher {
 public:
  explicit Dispatcher(Books& books) : books_(books) {}

  Result<void> open();  // every destination is looked at once
  void touch(const std::string& destination_id) { touched_.insert(destination_id); }

  bool is_due(std::int64_t now) const;
  std::optional<std::int64_t> next_due() const;

  // Visits what is touched or due, inside the caller's transaction. After a rollback call rolled_back().
  Result<Aftermath> run(Context& context);
  void committed() { visiting_.clear(); }
  void rolled_back();

 private:
  Result<Aftermath> visit(const std::string& id, Context& context);
  // `dispatched` counts those that went out; a mail may have to wait for another one.
  Result<Aftermath> decide_all(const std::vector<std::string>& deliveries, bool is_shelved, Context& context, std::int64_t& dispatched);
  Result<std::vector<std::string>> waiting(const std::string& id, std::int64_t due, std::int64_t limit);
  void wake(const std::string& id, std::optional<std::int64_t> at);

  Books& books_;
  std::set<std::string> touched_;
  std::set<std::string> visiting_;
  std::map<std::string, std::int64_t> wakes_;
};

}  // namespace postroom::ledger
