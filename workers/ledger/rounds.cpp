#include "workers/ledger/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::ledger {

namespace {

constexpr std::size_t most_bytes = 8 << 20;  // of bodies in one transaction
constexpr std::size_t most_shelved = 50;     // messages of the queue `standby` in one round
constexpr std::chrono::milliseconds trouble_wait{1'000};
constexpr std::int64_t wall_tolerance = 1'000'000;  // microseconds; smaller steps are the clock being slewed

std::int64_t steady_micros(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.steady().time_since_epoch()).count();
}

void tell(const Notice& notice) {
  if (notice.is_alarm) {
    metrics::counter("ledger_alarms").add();
    log::error("alarm", {{"what", notice.what}, {"correlation_id", notice.correlation_id}});
  } else {
    metrics::counter("ledger_shelved", {{"reason_class", notice.reason_class}}).add();
    log::warning("shelved", {{"what", notice.what}, {"reason_class", notice.reason_class}, {"correlation_id", notice.correlation_id}});
  }
}

}  // namespace

Rounds::Rounds(Ports ports, const Config& config, std::function<void()> wake, std::function<void(const Error&)> die)
    : ports_(ports),
      config_(config),
      wake_(std::move(wake)),
      die_(std::move(die)),
      books_(ports_.database),
      intake_of_(books_),
      dispatcher_(books_),
      chores_(books_),
      relay_(ports_.publisher, ports_.clock, config.ledger.relay_retry, wake_),
      suspicion_(ports_.database),
      wall_offset_(to_micros(ports_.clock.wall()) - steady_micros(ports_.clock)) {}

Result<void> Rounds::open() {
  if (auto opened = suspicion_.open(); !opened) return opened;
  if (auto opened = books_.open(); !opened) return opened;
  if (auto moved = meet_wall_clock(); !moved) return moved;
  if (auto opened = dispatcher_.open(); !opened) return opened;
  return relay_.load(ports_.database);
}

// A clock that stands behind what was written before the start (no battery, or set back meanwhile) would let rows sleep for the difference.
Result<void> Rounds::meet_wall_clock() {
  std::int64_t newest = 0;
  auto& database = ports_.database;
  auto asked = database.query("SELECT at FROM events ORDER BY seq DESC LIMIT 1", {}, [&](const store::Row& row) { newest = row.integer(0); });
  const std::int64_t behind = newest - to_micros(ports_.clock.wall());
  if (!asked || behind < wall_tolerance) return asked;
  if (auto begun = database.begin(); !begun) return begun;
  auto shifted = chores_.rebase(-behind);
  if (shifted) shifted = database.commit();
  if (!shifted) {
    (void)database.rollback();
    return shifted;
  }
  log::warning("the wall clock stands behind the last record; deadlines moved with it", {{"microseconds", std::to_string(-behind)}});
  return {};
}

Result<void> Rounds::close() {
  if (relay_.has_writing()) {
    if (auto written = relay_.write(ports_.database); !written) return written;
    relay_.written();
  }
  return suspicion_.close();
}

void Rounds::arrived(std::vector<broker::Delivery> deliveries) {
  for (auto& delivery : deliveries) {
    if (delivery.redelivered && suspicion_.is_aroused()) {
      careful_.push_back(std::move(delivery));
    } else if (delivery.queue == broker::names::ledger_now) {
      now_.push_back(std::move(delivery));
    } else if (delivery.queue == broker::names::ledger_results) {
      results_.push_back(std::move(delivery));
    } else if (delivery.queue == broker::names::ledger_intake) {
      intake_.push_back(std::move(delivery));
    } else {
      shelf_.push_back(std::move(delivery));
    }
  }
  wake_();
}

void Rounds::link_changed(broker::LinkState state) {
  if (state == broker::LinkState::open) return wake_();
  for (auto* queue : {&now_, &results_, &intake_, &shelf_, &careful_}) queue->clear();
  suspicion_.calm();
}

Rounds::Batch Rounds::choose() {
  Batch batch;
  std::size_t bytes = 0;
  const auto take = [&](std::deque<broker::Delivery>& from, std::size_t most) {
    while (most-- > 0 && !from.empty() && (bytes < most_bytes || batch.deliveries.empty())) {
      bytes += from.front().body.size();
      batch.deliveries.push_back(std::move(from.front()));
      from.pop_front();
    }
  };
  if (!careful_.empty()) {
    take(careful_, 1);
    batch.is_careful = true;
    return batch;
  }
  take(now_, now_.size());
  take(results_, static_cast<std::size_t>(config_.ledger.round_results));
  take(intake_, static_cast<std::size_t>(config_.ledger.round_intake));
  take(shelf_, most_shelved);
  return batch;
}

Result<Aftermath> Rounds::apply_one(const broker::Delivery& delivery, Context& context) {
  auto& database = ports_.database;
  if (auto begun = database.savepoint(); !begun) return begun.error();
  auto after = intake_of_.take(delivery, context);
  if (!after && !is_machine_error(after.error())) {
    // The message's own fault, or ours with it: it is kept whole, its neighbours go on.
    const Error why = after.error();
    if (saboteur("bad_message_half_applied")) return intake_of_.shelve(delivery, "not_applicable", why.text(), context);
    if (auto undone = database.rollback_to_savepoint(); !undone) return undone.error();
    if (auto begun = database.savepoint(); !begun) return begun.error();
    after = intake_of_.shelve(delivery, why.code() == Code::bad_message ? "invalid_body" : "not_applicable", why.text(), context);
  }
  if (!after) return after;
  if (auto released = database.release_savepoint(); !released) return released.error();
  return after;
}

Result<Aftermath> Rounds::apply(const Batch& batch, Context& context) {
  Aftermath all;
  for (const auto& delivery : batch.deliveries) {
    auto after = apply_one(delivery, context);
    if (!after) return after;
    all.take(std::move(*after));
    crash_point("ledger_after_message");
  }
  if (batch.is_careful) {
    auto noted = suspicion_.passed(batch.deliveries.front(), careful_.empty() ? nullptr : &careful_.front(), context.now);
    if (!noted) return noted.error();
  }
  return all;
}

Result<Aftermath> Rounds::run_round(const Batch& batch, Context& context) {
  auto& database = ports_.database;
  bool is_condemned = false;
  if (batch.is_careful) {
    auto strikes = suspicion_.note(batch.deliveries.front(), context.now);
    if (!strikes) return strikes.error();
    is_condemned = *strikes > Suspicion::last_strike && !saboteur("suspect_never_shelved");
  }
  if (auto begun = database.begin(); !begun) return begun.error();
  Aftermath all;
  const auto add = [&](Result<Aftermath> after) -> Result<void> {
    if (!after) return after.error();
    for (const auto& id : after->touched) dispatcher_.touch(id);
    all.take(std::move(*after));
    return {};
  };
  Result<void> done;
  if (is_condemned) {
    const auto& suspect = batch.deliveries.front();
    log::error("message shelved after it ended the ledger three times", {{"message_id", suspect.envelope.message_id}, {"type", suspect.envelope.type}});
    done = add(intake_of_.shelve(suspect, "ended_the_ledger", "Three times the ledger ended abnormally while it had this message in hand.", context));
    if (done) done = suspicion_.passed(suspect, careful_.empty() ? nullptr : &careful_.front(), context.now);
  } else {
    done = add(apply(batch, context));
  }
  const bool is_broker_open = ports_.publisher.state() == broker::LinkState::open;
  if (done && chores_due_ && *chores_due_ <= context.now) {
    done = add(chores_.run(context, is_broker_open));
    crash_point("ledger_after_chores");
  }
  if (done) done = add(chores_.parse_mails(context));
  if (done) done = add(dispatcher_.run(context));
  if (!all.outgoing.empty()) crash_point("ledger_after_dispatch");
  if (done) done = relay_.write(database);
  if (!done) return done.error();
  crash_point("ledger_before_commit");
  if (saboteur("claim_answered_before_commit")) {
    for (const auto& message : std::exchange(all.may_drop, {})) relay_.publish(message);
  }
  if (auto committed = database.commit(); !committed) return committed.error();
  return all;
}

void Rounds::put_back(Batch batch) {
  const auto to_front = [](std::deque<broker::Delivery>& queue, broker::Delivery delivery) { queue.push_front(std::move(delivery)); };
  for (auto it = batch.deliveries.rbegin(); it != batch.deliveries.rend(); ++it) {
    if (batch.is_careful) {
      to_front(careful_, std::move(*it));
    } else if (it->queue == broker::names::ledger_now) {
      to_front(now_, std::move(*it));
    } else if (it->queue == broker::names::ledger_results) {
      to_front(results_, std::move(*it));
    } else if (it->queue == broker::names::ledger_intake) {
      to_front(intake_, std::move(*it));
    } else {
      to_front(shelf_, std::move(*it));
    }
  }
}

std::optional<std::chrono::milliseconds> Rounds::failed(Batch batch, const Error& error) {
  (void)ports_.database.rollback();
  dispatcher_.rolled_back();
  suspicion_.rolled_back();
  chores_due_ = 0;
  put_back(std::move(batch));
  metrics::counter("ledger_rounds_failed").add();
  if (trouble_ != error.text()) log::error("the round was rolled back; nothing is acknowledged", {{"reason", error.text()}});
  trouble_ = error.text();
  // After a failed fsync the kernel may have dropped the pages: only a new process with a recovered log knows what is there.
  if (error.where().starts_with(store::input_output_error) && !saboteur("failed_sync_survived")) die_(error);
  return trouble_wait;
}

void Rounds::after_commit(Batch batch, Aftermath after) {
  crash_point("ledger_after_commit");
  if (!batch.deliveries.empty() && !saboteur("ack_before_commit")) ports_.consumer.ack_all(batch.deliveries);
  crash_point("ledger_after_ack");
  books_.committed();
  dispatcher_.committed();
  relay_.written();
  if (!trouble_.empty()) log::info("the database works again");
  trouble_.clear();
  for (const auto& notice : after.notices) tell(notice);
  for (const auto& message : after.may_drop) relay_.publish(message);
  if (!after.may_drop.empty()) crash_point("ledger_after_replies");
  if (!after.outgoing.empty()) crash_point("dispatch_after_commit");
  relay_.take(std::move(after.outgoing));
}

Result<void> Rounds::follow_wall_clock() {
  const std::int64_t offset = to_micros(ports_.clock.wall()) - steady_micros(ports_.clock);
  const std::int64_t step = offset - wall_offset_;
  if (step > -wall_tolerance && step < wall_tolerance) return {};
  auto& database = ports_.database;
  if (auto begun = database.begin(); !begun) return begun;
  auto shifted = chores_.rebase(step);
  if (shifted) shifted = database.commit();
  if (!shifted) {
    (void)database.rollback();
    return shifted;
  }
  wall_offset_ = offset;
  chores_due_ = 0;
  if (auto reopened = dispatcher_.open(); !reopened) return reopened;
  log::warning("the wall clock was set; deadlines moved with it", {{"microseconds", std::to_string(step)}});
  return {};
}

bool Rounds::has_work(std::int64_t now) {
  return held() > 0 || !shelf_.empty() || relay_.has_writing() || dispatcher_.is_due(now) || (chores_due_ && *chores_due_ <= now);
}

std::optional<std::chrono::milliseconds> Rounds::until_next() {
  auto due = chores_.next_due(ports_.publisher.state() == broker::LinkState::open);
  if (!due) return trouble_wait;
  chores_due_ = *due;
  if (held() > 0 || !shelf_.empty()) return std::chrono::milliseconds{0};
  std::optional<std::int64_t> next = chores_due_;
  for (const auto& other : {dispatcher_.next_due(), relay_.next_due()}) {
    if (other) next = std::min(next.value_or(INT64_MAX), *other);
  }
  if (!next) return std::nullopt;
  const std::int64_t wait = std::clamp<std::int64_t>(*next - to_micros(ports_.clock.wall()), 0, 3'600'000'000);
  return std::chrono::milliseconds{(wait + 999) / 1'000};
}

std::optional<std::chrono::milliseconds> Rounds::turn() {
  const auto started = ports_.clock.steady();
  if (auto followed = follow_wall_clock(); !followed) return failed({}, followed.error());
  relay_.publish_due();
  Context context{to_micros(ports_.clock.wall()), history_seq_, ports_.ids, ports_.chance, config_};
  if (!has_work(context.now)) return until_next();

  Batch batch = choose();
  if (saboteur("ack_before_commit") && !batch.deliveries.empty()) {
    ports_.consumer.ack_all(batch.deliveries);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});  // until the acks are on their way
  }
  if (!batch.deliveries.empty()) crash_point("ledger_before_apply");
  auto after = run_round(batch, context);
  history_seq_ = context.seq;
  if (!after) return failed(std::move(batch), after.error());
  metrics::counter("ledger_rounds").add();
  after_commit(std::move(batch), std::move(*after));
  metrics::histogram("ledger_round_seconds").observe(std::chrono::duration<double>(ports_.clock.steady() - started).count());
  return until_next();
}

}  // namespace postroom::ledger
