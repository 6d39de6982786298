#include "workers/ledger/relay.hpp"

#include <algorithm>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/base/sabotage.hpp"
#include "common/codec/codec.hpp"
#include "common/messages/stored.hpp"
#include "common/metrics/metrics.hpp"
#include "common/store/table.hpp"

namespace postroom::ledger {

namespace {

constexpr std::size_t window = 1'000;              // rows handed over and not answered
constexpr std::int64_t longest_back_off = 60'000'000;  // microseconds

}  // namespace

Relay::Relay(broker::Publisher& publisher, const Clock& clock, std::chrono::milliseconds retry_after, std::function<void()> woken)
    : publisher_(publisher), clock_(clock), retry_after_(std::chrono::microseconds{retry_after}.count()), woken_(std::move(woken)) {}

Relay::~Relay() { *is_alive_ = false; }

Result<void> Relay::load(store::Database& database) {
  auto rows = store::select<store::OutgoingRow>(database, "ORDER BY not_before, seq", {});
  if (!rows) return rows.error();
  take(std::move(*rows));
  return {};
}

void Relay::take(std::vector<store::OutgoingRow> rows) {
  for (auto& row : rows) {
    waiting_.emplace(row.not_before, row.seq);
    rows_.emplace(row.seq, std::move(row));
  }
  publish_due();
}

void Relay::publish_due() {
  const std::int64_t now = to_micros(clock_.wall());
  while (!waiting_.empty() && waiting_.begin()->first <= now && under_way_.size() < window) {
    const std::int64_t seq = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    under_way_.insert(seq);
    submit(rows_.at(seq));
  }
}

void Relay::submit(const store::OutgoingRow& row) {
  crash_point("relay_before_publish");
  if (saboteur("outgoing_deleted_before_confirm")) arrived_.push_back(row.seq);
  broker::Outgoing message;
  message.exchange = row.exchange;
  message.routing_key = row.routing_key;
  message.body = row.body;
  if (auto envelope = codec::decode<messages::StoredEnvelope>(row.envelope)) message.envelope = messages::envelope_of(*envelope);
  publisher_.submit(std::move(message), [this, seq = row.seq, is_alive = is_alive_](broker::Published result) {
    if (*is_alive) answered(seq, result);
  });
}

void Relay::answered(std::int64_t seq, broker::Published result) {
  under_way_.erase(seq);
  const auto found = rows_.find(seq);
  if (found == rows_.end()) return;
  if (result == broker::Published::confirmed || saboteur("return_taken_for_confirm")) {
    crash_point("relay_after_confirm");
    rows_.erase(found);
    arrived_.push_back(seq);
  } else {
    auto& row = found->second;
    ++row.attempts;
    const std::int64_t wait = std::min(longest_back_off, retry_after_ << std::min<std::int64_t>(row.attempts - 1, 10));
    row.not_before = to_micros(clock_.wall()) + wait;
    waiting_.emplace(row.not_before, seq);
    put_off_.push_back(seq);
    metrics::counter("ledger_outgoing_put_off").add();
    log::warning("the broker did not take a message; it waits alone", {{"routing_key", row.routing_key}, {"attempts", std::to_string(row.attempts)}});
  }
  woken_();
}

void Relay::publish(const MayDrop& message) {
  broker::Outgoing out;
  out.exchange = message.exchange;
  out.routing_key = message.routing_key;
  out.envelope = message.envelope;
  out.body = message.body;
  out.must_arrive = false;
  publisher_.submit(std::move(out), {});
}

Result<void> Relay::write(store::Database& database) {
  for (const auto seq : arrived_) {
    if (auto deleted = database.execute("DELETE FROM outgoing WHERE seq = ?1", {seq}); !deleted) return deleted;
  }
  if (!arrived_.empty()) crash_point("relay_after_delete");
  for (const auto seq : put_off_) {
    const auto found = rows_.find(seq);
    if (found == rows_.end()) continue;
    auto noted = database.execute("UPDATE outgoing SET not_before = ?1, attempts = ?2 WHERE seq = ?3", {found->second.not_before, found->second.attempts, seq});
    if (!noted) return noted;
  }
  return {};
}

void Relay::written() {
  arrived_.clear();
  put_off_.clear();
}

std::optional<std::int64_t> Relay::next_due() const {
  if (waiting_.empty() || under_way_.size() >= window) return std::nullopt;
  return waiting_.begin()->first;
}

}  // namespace postroom::ledger
