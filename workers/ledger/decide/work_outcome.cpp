#include <fmt/format.h>

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/destination.hpp"

namespace postroom::ledger {

using messages::Outcome;
using messages::ReasonClass;
using messages::WorkOutcome;
using store::ConnectionState;
using store::DeliveryState;
using store::DeliveryStep;

namespace {

constexpr std::int64_t shortest_snooze = 500'000;    // microseconds
constexpr std::int64_t longest_snooze = 60'000'000;  // of a snooze that names no time

// The far side, or the way to it, is at fault: it counts for the circuit.
bool is_far_side_failure(ReasonClass reason) {
  switch (reason) {
    case ReasonClass::unreachable:
    case ReasonClass::timeout:
    case ReasonClass::server_error:
    case ReasonClass::protocol: return true;
    default: return is_hopeless(reason);
  }
}

struct Judging {
  const State& state;
  const WorkOutcome& message;
  Context& context;
  DeliveryMachine machine;

  Judging(const State& s, const WorkOutcome& m, Context& c) : state(s), message(m), context(c), machine(s, c) {}

  std::string actor() const { return machine.row().worker; }
  std::string reason() const { return message.reason.empty() ? fmt::format("reported {}", messages::name_of(message.outcome)) : message.reason; }

  // Free waits get longer, so that a worker that always snoozes does not spin.
  std::int64_t free_wait() const {
    const std::int64_t doublings = std::min<std::int64_t>(machine.row().snoozes, 7);
    return std::min(longest_snooze, shortest_snooze << doublings);
  }
  std::int64_t wished_wait(std::int64_t otherwise) const {
    if (!message.after_ms) return otherwise;
    return std::clamp<std::int64_t>(*message.after_ms, 0, context.config.delivery.retry_after_cap.count()) * 1'000;
  }

  // The worker used credentials that were replaced since: nothing is said about today's.
  // A change "after" now is a clock that was set back, and proves nothing.
  bool is_about_old_settings() const {
    return state.connection && state.connection->updated_at >= machine.claimed_at() && state.connection->updated_at <= context.now;
  }

  void blame_far_side() {
    on_failure(machine.destination(), message.reason_class, context);
    if (machine.destination().circuit != store::Circuit::closed) machine.far_side_is(ConnectionState::failing, message.reason_class, reason());
  }
  void credit_far_side() { on_answer(machine.destination(), context); }

  void defer() {
    if (message.reason_class == ReasonClass::rate_limited) {
      on_push_back(machine.destination(), context.now + wished_wait(free_wait()), messages::name_of(message.reason_class));
    } else if (is_far_side_failure(message.reason_class)) {
      blame_far_side();
    } else {
      credit_far_side();
    }
    machine.wait_spending(message.reason_class, reason(), message.after_ms);
  }

  void snooze() {
    const std::int64_t until = context.now + wished_wait(free_wait());
    if (message.reason_class == ReasonClass::rate_limited) on_push_back(machine.destination(), until, messages::name_of(message.reason_class));
    machine.snooze(until, message.reason_class, reason());
  }

  void not_sent() {
    if (machine.row().step == DeliveryStep::resolve && message.reason_class == ReasonClass::absent) {
      credit_far_side();
      machine.absent();
    } else if (is_far_side_failure(message.reason_class)) {
      defer();  // nothing left the house, but trying again at once would only knock at a dead door
    } else {
      machine.snooze(context.now + free_wait(), message.reason_class, reason());
    }
  }

  void unknown() {
    if (machine.row().step == DeliveryStep::resolve) return defer();
    if (is_mail(machine.row())) return mail_unknown();
    if (saboteur("repeat_after_unknown")) return defer();
    blame_far_side();
    const std::int64_t last_byte = std::max(machine.row().sent_at + exchange_time(context.config, machine.row().worker), context.now);
    machine.resolve_at(last_byte + settle_time(context.config, machine.row().worker), message.reason_class, reason());
  }

  // Without the final dot nothing can have arrived.
  void mail_unknown() {
    if (!machine.is_committed()) return defer();
    blame_far_side();
    machine.mail_in_doubt(reason());
  }

  void refuse() {
    if (is_hopeless(message.reason_class)) {
      blame_far_side();
    } else {
      credit_far_side();
    }
    if (is_mail(machine.row()) && message.reason_class == ReasonClass::recipient_refused && !machine.is_comment()) return machine.no_such_reader(reason());
    if (message.reason_class == ReasonClass::not_found) machine.far_side_is(ConnectionState::failing, message.reason_class, reason());
    machine.refuse(message.reason_class, reason());
  }

  void mail_done(bool is_current) {
    if (is_current && machine.has_destination()) {
      credit_far_side();
      machine.far_side_is(ConnectionState::ok, ReasonClass::none, "");
    }
    machine.mail_done(message.remote ? message.remote->id : "", actor());
  }

  bool is_known_object(const messages::Remote& remote) const {
    return std::ranges::any_of(state.externals, [&](const auto& external) { return external.remote_id == remote.id; });
  }
  bool is_linked() const {
    return std::ranges::any_of(state.externals, [](const auto& external) { return external.state == store::ExternalState::linked; });
  }

  void done(bool is_current) {
    const auto& remote = *message.remote;
    if (state.remote_owner && state.remote_owner->delivery_id != machine.row().id) {
      const std::string why = fmt::format("the far side's object {} already belongs to another delivery ({})", remote.key, state.remote_owner->delivery_id);
      machine.alarm(fmt::format("delivery {}: {}", machine.row().id, why));
      if (is_current) machine.shelve(ReasonClass::conflict, why);
      return;
    }
    if (is_current && machine.has_destination()) {
      credit_far_side();
      machine.far_side_is(ConnectionState::ok, ReasonClass::none, "");
    }
    if (!is_known_object(remote)) {
      if (is_linked()) {
        machine.duplicate(remote);
      } else {
        machine.done(remote, actor());
      }
    }
    for (const auto& other : message.duplicates) {
      if (!is_known_object(other) && other.id != remote.id) machine.duplicate(other);
    }
    if (remote.mark) {
      const std::string scope{marker_scope(machine.target())};
      // A moved issue carries another project's number.
      if (!scope.empty() && remote.key.starts_with(scope + "-")) raise_mark(machine.decision(), state, machine.row().destination_id, scope, *remote.mark, context.now);
    }
  }
};

}  // namespace

void raise_mark(Decision& decision, const State& state, std::string_view connection_id, std::string_view scope, std::int64_t value, std::int64_t now) {
  if (scope.empty()) return;
  store::RemoteMarkRow mark{std::string{connection_id}, std::string{scope}, value, now};
  if (!state.mark) {
    decision.insert(std::move(mark));
  } else if (state.mark->scope == scope && state.mark->value <= value) {
    decision.update(*state.mark, std::move(mark));
  }
}

Needs needs(const WorkOutcome& message, const Incoming&) {
  Needs needs;
  needs.delivery_id = message.delivery_id;
  if (message.remote) needs.remote_id = message.remote->id;
  return needs;
}

Decision decide(const State& state, const WorkOutcome& message, const Incoming& in, Context& context) {
  if (!state.delivery) {
    Decision decision;
    if (message.outcome == Outcome::done) {
      decision.alarm(fmt::format("done for a delivery that is not there: {} ({})", message.delivery_id, message.remote ? message.remote->url : ""),
                     in.envelope.correlation_id);
    }
    return decision;
  }
  Judging judging{state, message, context};
  auto& machine = judging.machine;
  const auto& row = machine.row();
  const bool is_current = row.state == DeliveryState::claimed && ((row.token == message.token && row.dispatch_no == message.dispatch_no) || saboteur("outcome_of_anybody"));

  // What exists out there is always recorded, however late and whoever says it.
  if (message.outcome == Outcome::done && (message.remote || is_mail(row))) {
    if (is_mail(row)) {
      judging.mail_done(is_current);
    } else {
      judging.done(is_current);
    }
    if (is_current && message.limits) on_limits(machine.destination(), *message.limits, context);
    return machine.finish();
  }
  if (!is_current) {
    machine.note(row.worker, "outcome_dropped",
                 fmt::format(R"({{"outcome":"{}","dispatch_no":{}}})", messages::name_of(message.outcome), message.dispatch_no));
    return machine.finish();
  }
  if (message.limits) on_limits(machine.destination(), *message.limits, context);
  if (is_hopeless(message.reason_class) && message.outcome != Outcome::unknown && judging.is_about_old_settings()) {
    machine.snooze(context.now + judging.free_wait(), message.reason_class, "the settings changed while it was under way");
    return machine.finish();
  }
  switch (message.outcome) {
    case Outcome::done: judging.unknown(); break;  // without an object to point at
    case Outcome::defer: judging.defer(); break;
    case Outcome::snooze: judging.snooze(); break;
    case Outcome::refuse: judging.refuse(); break;
    case Outcome::not_sent: judging.not_sent(); break;
    case Outcome::unknown: judging.unknown(); break;
  }
  return machine.finish();
}

}  // namespace postroom::ledger
