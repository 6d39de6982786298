#pragma once
// What the clock does: silence of workers, polls and their leases, deadlines of retries and tests, the steps of bulk jobs. Each chore looks at its index for what is due.

#include <cstdint>
#include <optional>

#include "workers/ledger/books.hpp"

namespace postroom::ledger {

class Chores {
 public:
  explicit Chores(Books& books) : books_(books) {}

  // Does what is due, at most `most_at_once` of each kind, inside the caller's transaction. `is_broker_open`: while it is away, silence of
  // dispatched jobs means nothing.
  Result<Aftermath> run(Context& context, bool is_broker_open);
  Result<std::optional<std::int64_t>> next_due(bool is_broker_open);

  // Hands out mails to be parsed, as many as there is room for, the oldest first.
  Result<Aftermath> parse_mails(Context& context);

  // Shifts every deadline: the wall clock was set by `by` microseconds, and waiting follows the steady one.
  Result<void> rebase(std::int64_t by);

 private:
  Result<Aftermath> silences(Context& context, std::string_view state);
  Result<Aftermath> polls(Context& context, bool is_broker_open);
  Result<Aftermath> retry_deadlines(Context& context);
  Result<Aftermath> test_deadlines(Context& context);
  Result<Aftermath> parse_silences(Context& context);
  Result<Aftermath> parse_all(const std::vector<std::string>& mails, Context& context);
  Result<Aftermath> bulk_steps(Context& context);
  Result<Aftermath> bulk_step(store::BulkJobRow job, Context& context);
  Result<Aftermath> bulk_item(const store::BulkJobRow& job, const std::string& item_id, Context& context, bool& is_refused);
  Result<std::vector<std::string>> due(std::string_view sql, std::int64_t now, std::string_view state = {});

  Books& books_;
  std::int64_t handed_out_at_ = 0;  // mails that wait with a later time were put off
};

}  // namespace postroom::ledger
