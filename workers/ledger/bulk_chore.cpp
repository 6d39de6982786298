// The steps of bulk jobs: a few items every tenth of a second, in the order in which they came to the shelf, each decided like a single command.

#include <algorithm>

#include "common/codec/codec.hpp"
#include "common/store/table.hpp"
#include "workers/ledger/chores.hpp"
#include "workers/ledger/decide/bulk.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

using store::Value;

namespace {

constexpr std::int64_t step_time = 100'000;  // microseconds

struct Place {
  std::int64_t first_at;
  std::string id;
  auto operator<=>(const Place&) const = default;
};

}  // namespace

Result<Aftermath> Chores::bulk_item(const store::BulkJobRow& job, const std::string& item_id, Context& context, bool& is_refused) {
  messages::Envelope envelope;
  envelope.message_id = context.ids.next();
  envelope.type = messages::StandbyRetryMany::type;
  envelope.correlation_id = job.id;
  envelope.user_id = "ledger";
  const Incoming in{envelope, "", "", "", "", ""};
  Aftermath all;
  const auto carry_out = [&](const auto& message) -> Result<void> {
    auto state = books_.load(needs(message, in));
    if (!state) return state.error();
    Decision decision = decide(*state, message, in, context);
    is_refused = decision.status >= 400;
    auto after = books_.write(std::move(decision), context);
    if (!after) return after.error();
    all.take(std::move(*after));
    return {};
  };
  Result<void> done;
  if (job.action == messages::BulkAction::remove) {
    done = carry_out(messages::StandbyDelete{item_id, job.actor, {}, "bulk"});
  } else {
    if (job.board_id) done = carry_out(messages::StandbyAssign{item_id, job.actor, {}, job.board_id, {}, {}});
    if (done && !is_refused) done = carry_out(messages::StandbyRetry{item_id, job.actor, {}});
  }
  if (!done) return done.error();
  return all;
}

Result<Aftermath> Chores::bulk_step(store::BulkJobRow job, Context& context) {
  const store::BulkJobRow before = job;
  Aftermath all;
  auto filter = codec::decode<messages::StandbyFilter>(job.filter);
  if (!filter) return filter.error();

  if (job.cursor_id.empty() && job.action == messages::BulkAction::retry) {
    // Whoever retries wants to know now: circuits that are open may probe at once.
    std::vector<std::string> open_ones;
    auto asked = books_.database().query("SELECT id FROM destinations WHERE circuit = 'open'", {}, [&](const store::Row& row) { open_ones.push_back(row.text(0)); });
    if (asked) asked = books_.database().execute("UPDATE destinations SET paused_until = 0 WHERE circuit = 'open'", {});
    if (!asked) return asked.error();
    all.touched = std::move(open_ones);
  }

  const std::int64_t share = std::max<std::int64_t>(1, context.config.ledger.standby_retry_rate * step_time / 1'000'000);
  std::vector<Place> places;
  for (const std::string_view state : {"open", "assigned"}) {
    std::vector<Value> values{state, job.cursor_at, std::string_view{job.cursor_id}, job.until, share};
    const std::string conditions = filter_conditions(*filter, values);
    auto asked = books_.database().query(
        "SELECT first_at, id FROM standby WHERE state = ?1 AND (first_at, id) > (?2, ?3) AND first_at <= ?4" + conditions + " ORDER BY first_at, id LIMIT ?5", values,
        [&](const store::Row& row) { places.push_back({row.integer(0), row.text(1)}); });
    if (!asked) return asked.error();
  }
  std::ranges::sort(places);
  if (static_cast<std::int64_t>(places.size()) > share) places.resize(static_cast<std::size_t>(share));

  for (const auto& place : places) {
    bool is_refused = false;
    auto after = bulk_item(job, place.id, context, is_refused);
    if (!after) return after.error();
    all.take(std::move(*after));
    ++(is_refused ? job.refused : job.done);
    job.cursor_at = place.first_at;
    job.cursor_id = place.id;
  }
  const bool is_over = static_cast<std::int64_t>(places.size()) < share;
  job.state = is_over ? store::RunState::ended : store::RunState::running;
  job.due_at = is_over ? 0 : context.now + step_time;
  if (auto written = store::update(books_.database(), before, job); !written) return written.error();
  const std::int64_t status = is_over ? 200 : 202;
  const std::string progress = progress_json(job);
  auto noted = books_.database().execute("UPDATE inbox SET status = ?1, result = ?2 WHERE message_id = ?3 AND retry = 0", {status, progress, job.id});
  if (!noted) return noted.error();
  return all;
}

Result<Aftermath> Chores::bulk_steps(Context& context) {
  auto jobs = store::select<store::BulkJobRow>(books_.database(), "WHERE state = 'running' AND due_at <= ?1 ORDER BY due_at LIMIT 10", {context.now});
  if (!jobs) return jobs.error();
  Aftermath all;
  for (auto& job : *jobs) {
    auto after = bulk_step(std::move(job), context);
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  return all;
}

}  // namespace postroom::ledger
