#include "workers/ledger/chores.hpp"

#include <algorithm>

#include "common/metrics/metrics.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

namespace {

// What is done at most in one turn, of each kind; the rest is due at once again.
constexpr std::string_view due_deliveries = "SELECT id FROM deliveries WHERE state = ?2 AND due_at <= ?1 ORDER BY due_at LIMIT 200";
constexpr std::string_view due_items = "SELECT id FROM standby WHERE due_at > 0 AND due_at <= ?1 ORDER BY due_at LIMIT 200";
constexpr std::string_view due_tests = "SELECT id FROM connection_tests WHERE state = ?2 AND due_at <= ?1 ORDER BY due_at LIMIT 50";
constexpr std::string_view due_mails = "SELECT arrival_id FROM mails WHERE stage = ?2 AND stage <> 'decided' AND due_at <= ?1 ORDER BY due_at LIMIT 200";

constexpr std::string_view due_inboxes = "SELECT id FROM inboxes WHERE due_at > 0 AND due_at <= ?1 ORDER BY due_at LIMIT 200";
constexpr std::string_view due_idle_inboxes = "SELECT id FROM inboxes WHERE due_at > 0 AND due_at <= ?1 AND lease = ?2 ORDER BY due_at LIMIT 200";

}  // namespace

Result<std::vector<std::string>> Chores::due(std::string_view sql, std::int64_t now, std::string_view state) {
  std::vector<std::string> ids;
  const auto add = [&](const store::Row& row) { ids.push_back(row.text(0)); };
  auto asked = state.empty() ? books_.database().query(sql, {now}, add) : books_.database().query(sql, {now, state}, add);
  if (!asked) return asked.error();
  return ids;
}

Result<Aftermath> Chores::silences(Context& context, std::string_view state_name) {
  auto ids = due(due_deliveries, context.now, state_name);
  if (!ids) return ids.error();
  Aftermath all;
  for (const auto& id : *ids) {
    auto after = books_.decide_delivery(id, context, [&](const State& state) { return decide_silence(state, context); });
    if (!after) return after.error();
    all.take(std::move(*after));
    metrics::counter("ledger_silences", {{"state", state_name}}).add();
  }
  return all;
}

// While the broker is away nobody can speak, so that nobody is silent.
Result<Aftermath> Chores::polls(Context& context, bool is_broker_open) {
  auto ids = is_broker_open ? due(due_inboxes, context.now) : due(due_idle_inboxes, context.now, "idle");
  if (!ids) return ids.error();
  Aftermath all;
  for (const auto& id : *ids) {
    auto after = books_.decide_inbox(id, context, [&](const State& state) { return decide_poll_due(state, context); });
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  return all;
}

Result<Aftermath> Chores::retry_deadlines(Context& context) {
  auto ids = due(due_items, context.now);
  if (!ids) return ids.error();
  Aftermath all;
  for (const auto& id : *ids) {
    Needs needs;
    needs.standby_id = id;
    auto state = books_.load(needs);
    if (!state) return state.error();
    auto after = books_.write(decide_retry_deadline(*state, context), context);
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  return all;
}

Result<Aftermath> Chores::test_deadlines(Context& context) {
  auto ids = due(due_tests, context.now, "running");
  if (!ids) return ids.error();
  Aftermath all;
  for (const auto& id : *ids) {
    Needs needs;
    needs.test_id = id;
    auto state = books_.load(needs);
    if (!state) return state.error();
    auto after = books_.write(decide_test_deadline(*state, context), context);
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  return all;
}

Result<Aftermath> Chores::parse_all(const std::vector<std::string>& mails, Context& context) {
  Aftermath all;
  for (const auto& id : mails) {
    auto after = books_.decide_mail(id, context, [&](const State& state) { return decide_parse(state, context); });
    if (!after) return after.error();
    all.take(std::move(*after));
  }
  if (!mails.empty()) metrics::counter("ledger_parse_jobs").add(mails.size());
  return all;
}

Result<Aftermath> Chores::parse_silences(Context& context) {
  auto ids = due(due_mails, context.now, "parsing");
  if (!ids) return ids.error();
  return parse_all(*ids, context);
}

Result<Aftermath> Chores::parse_mails(Context& context) {
  handed_out_at_ = context.now;
  std::int64_t under_way = 0;
  const std::int64_t window = context.config.mail.parse_window;
  auto asked = books_.database().query("SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE stage = 'parsing' AND stage <> 'decided' LIMIT ?1) AS jobs", {window},
                                       [&](const store::Row& row) { under_way = row.integer(0); });
  if (!asked) return asked.error();
  std::vector<std::string> ids;
  if (under_way < window) {
    asked = books_.database().query("SELECT arrival_id FROM mails WHERE stage = 'waiting' AND stage <> 'decided' AND due_at <= ?1 ORDER BY due_at LIMIT ?2",
                                    {context.now, window - under_way},
                                    [&](const store::Row& row) { ids.push_back(row.text(0)); });
    if (!asked) return asked.error();
  }
  return parse_all(ids, context);
}

Result<Aftermath> Chores::run(Context& context, bool is_broker_open) {
  Aftermath all;
  const auto add = [&](Result<Aftermath> after) -> Result<void> {
    if (!after) return after.error();
    all.take(std::move(*after));
    return {};
  };
  if (is_broker_open) {
    if (auto done = add(silences(context, "dispatched")); !done) return done.error();
    if (auto done = add(parse_silences(context)); !done) return done.error();
  }
  if (auto done = add(silences(context, "claimed")); !done) return done.error();
  if (auto done = add(polls(context, is_broker_open)); !done) return done.error();
  if (auto done = add(retry_deadlines(context)); !done) return done.error();
  if (auto done = add(test_deadlines(context)); !done) return done.error();
  if (auto done = add(bulk_steps(context)); !done) return done.error();
  return all;
}

Result<std::optional<std::int64_t>> Chores::next_due(bool is_broker_open) {
  std::optional<std::int64_t> next;
  // A seek in an index each. While the broker is away, silence about what it should carry means nothing.
  constexpr std::size_t of_the_broker = 2;
  const std::string_view questions[] = {
      "SELECT due_at FROM deliveries WHERE state = 'dispatched' ORDER BY due_at LIMIT 1",
      "SELECT due_at FROM mails WHERE stage = 'parsing' AND stage <> 'decided' ORDER BY due_at LIMIT 1",
      "SELECT due_at FROM deliveries WHERE state = 'claimed' ORDER BY due_at LIMIT 1",
      "SELECT due_at FROM standby WHERE due_at > 0 ORDER BY due_at LIMIT 1",
      "SELECT due_at FROM connection_tests WHERE state = 'running' ORDER BY due_at LIMIT 1",
      "SELECT due_at FROM bulk_jobs WHERE state = 'running' ORDER BY due_at LIMIT 1",
      is_broker_open ? "SELECT due_at FROM inboxes WHERE due_at > 0 ORDER BY due_at LIMIT 1"
                     : "SELECT due_at FROM inboxes WHERE due_at > 0 AND lease = 'idle' ORDER BY due_at LIMIT 1",
  };
  for (const auto& question : questions) {
    if (!is_broker_open && &question < &questions[of_the_broker]) continue;
    auto asked = books_.database().query(question, {}, [&](const store::Row& row) { next = std::min(next.value_or(INT64_MAX), row.integer(0)); });
    if (!asked) return asked.error();
  }
  auto asked = books_.database().query("SELECT due_at FROM mails WHERE stage = 'waiting' AND stage <> 'decided' AND due_at > ?1 ORDER BY due_at LIMIT 1",
                                       {handed_out_at_}, [&](const store::Row& row) { next = std::min(next.value_or(INT64_MAX), row.integer(0)); });
  if (!asked) return asked.error();
  return next;
}

Result<void> Chores::rebase(std::int64_t by) {
  const std::string_view statements[] = {
      "UPDATE deliveries SET due_at = due_at + ?1 WHERE state IN ('waiting', 'dispatched', 'claimed')",
      "UPDATE deliveries SET sent_at = sent_at + ?1 WHERE maybe_sent = 1 AND sent_at > 0 AND state IN ('waiting', 'dispatched', 'claimed', 'standby')",
      "UPDATE destinations SET paused_until = paused_until + ?1 WHERE paused_until > 0",
      "UPDATE destinations SET tokens_at = tokens_at + ?1",
      "UPDATE standby SET due_at = due_at + ?1 WHERE due_at > 0",
      "UPDATE connection_tests SET due_at = due_at + ?1 WHERE state = 'running'",
      "UPDATE mails SET due_at = due_at + ?1 WHERE stage <> 'decided' AND due_at > 0",
      "UPDATE bulk_jobs SET due_at = due_at + ?1 WHERE state = 'running'",
      "UPDATE inboxes SET due_at = due_at + ?1 WHERE due_at > 0",
      "UPDATE inboxes SET lease_until = lease_until + ?1 WHERE lease_until > 0",
  };
  for (const auto statement : statements) {
    if (auto done = books_.database().execute(statement, {by}); !done) return done;
  }
  return {};
}

}  // namespace postroom::ledger
