#include "workers/ledger/decide/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "workers/ledger/decide/destination.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::ReasonClass;
using messages::StandbyState;
using messages::Target;
using store::DeliveryRow;
using store::DeliveryState;
using store::DeliveryStep;

namespace {

constexpr std::int64_t retry_deadline = 600'000'000;  // a retried delivery reports by itself; until then nobody asks

// Without a fresh mark the worker asks for the newest number first, so that a search never has to walk through a week of other people's issues.
constexpr std::int64_t longest_mark_life = 600'000'000;  // microseconds

std::string type_of(const DeliveryRow& row) {
  if (is_mail(row)) return std::string{messages::NotifyMail::type};
  return fmt::format("{}.{}.v1", row.worker, row.step == DeliveryStep::send ? "create" : "resolve");
}

bool is_in_flight(DeliveryState state) { return state == DeliveryState::dispatched || state == DeliveryState::claimed; }

std::optional<Target> target_from(const std::optional<std::string>& json) {
  if (!json) return std::nullopt;
  auto target = codec::decode<Target>(*json);
  return target ? std::optional<Target>{std::move(*target)} : std::nullopt;
}

}  // namespace

Target target_of(const DeliveryRow& row, const std::optional<store::BoardRow>& board) {
  const auto of_attempt = target_from(row.attempt_target);
  // What an attempt left behind is looked for where that attempt went.
  if (row.step == DeliveryStep::resolve && of_attempt) return *of_attempt;
  if (board) {
    auto today = target_from(board->target);
    if (today && today->connection_id == row.destination_id) return *today;
  }
  return of_attempt.value_or(Target{});
}

DeliveryMachine::DeliveryMachine(const State& state, Context& context)
    : state_(state),
      context_(context),
      row_(*state.delivery),
      destination_(state.destination.value_or(store::DestinationRow{})),
      connection_(state.connection),
      item_(state.item) {}

About DeliveryMachine::about() const {
  return {state_.ticket ? state_.ticket->correlation_id : row_.ticket_id, row_.ticket_id, row_.id, row_.standby_id};
}

void DeliveryMachine::alarm(std::string what) { decision_.alarm(std::move(what), about().correlation_id); }

void DeliveryMachine::note(std::string_view actor, std::string_view action, std::string detail_json) {
  ledger::note(decision_, context_, about(), actor, action, std::move(detail_json));
}

Target DeliveryMachine::target() const { return target_of(row_, state_.board); }

std::int64_t DeliveryMachine::claim_span() const {
  const auto& policy = context_.config.delivery;
  return micros(policy.first_byte) + exchange_time(context_.config, row_.worker) + settle_time(context_.config, row_.worker);
}

std::int64_t DeliveryMachine::claimed_at() const { return row_.due_at - claim_span(); }

void DeliveryMachine::leave(DeliveryState next) {
  if (is_in_flight(row_.state)) on_leave(destination_);
  row_.state = next;
  row_.token.clear();
  row_.due_at = 0;
  decision_.touched.push_back(row_.destination_id);
}

// --- on the way out ---

void DeliveryMachine::dispatch() {
  ++row_.dispatch_no;
  row_.state = DeliveryState::dispatched;
  row_.token.clear();
  row_.due_at = context_.now + micros(context_.config.delivery.dispatch_timeout);
  on_dispatch(destination_, context_);

  MustArrive job;
  job.exchange = broker::names::work;
  job.routing_key = row_.worker;
  job.envelope.message_id = context_.ids.next();
  job.envelope.type = type_of(row_);
  job.envelope.correlation_id = about().correlation_id;
  job.envelope.timestamp = from_micros(context_.now);
  messages::JiraCreate body;  // all jobs have the same members
  body.delivery_id = row_.id;
  body.dispatch_no = row_.dispatch_no;
  body.ticket_id = row_.ticket_id;
  job.body = codec::encode(body);
  decision_.must_arrive.push_back(std::move(job));
  note("ledger", "dispatched", fmt::format(R"({{"dispatch_no":{},"step":"{}"}})", row_.dispatch_no, messages::name_of(row_.step)));
}

void DeliveryMachine::claim(std::string_view token, std::string_view worker) {
  row_.state = DeliveryState::claimed;
  row_.token = token;
  row_.due_at = context_.now + claim_span();
  if (is_mail(row_)) {
    prepare_mail();
  } else if (row_.step == DeliveryStep::send) {
    // From here on, whatever happens, an effect is possible.
    const Target today = target();
    row_.maybe_sent = true;
    row_.sent_at = context_.now;
    row_.absent_count = 0;
    row_.attempt_target = codec::encode(today);
    const bool is_fresh = state_.mark && state_.mark->updated_at > context_.now - longest_mark_life;
    row_.probe_base = is_fresh ? std::optional{state_.mark->value} : std::nullopt;
  }
  note(worker, "claimed", fmt::format(R"({{"dispatch_no":{},"step":"{}"}})", row_.dispatch_no, messages::name_of(row_.step)));
}

void DeliveryMachine::claim_again() {
  row_.due_at = context_.now + claim_span();
  if (row_.step == DeliveryStep::send && !is_mail(row_)) row_.sent_at = context_.now;
}

void DeliveryMachine::commit(std::optional<std::int64_t> probe_base) {
  claim_again();
  if (is_mail(row_)) return commit_mail();
  if (!probe_base) return;
  if (row_.step == DeliveryStep::send && !row_.probe_base) row_.probe_base = probe_base;
}

// --- what came of it ---

void DeliveryMachine::settle_item() {
  if (!item_ || !is_unfinished(item_->state)) return;
  item_->state = StandbyState::resolved;
  item_->due_at = 0;
  ++item_->version;
}

void DeliveryMachine::done(const messages::Remote& remote, std::string_view actor) {
  store::ExternalTicketRow external;
  external.id = crypto::uuid_v5(row_.id, {"external"});
  external.ticket_id = row_.ticket_id;
  external.board_id = row_.board_id;
  external.delivery_id = row_.id;
  external.connection_id = row_.destination_id;
  external.system = row_.worker;
  external.remote_id = remote.id;
  external.remote_key = remote.key;
  external.url = remote.url;
  external.state = store::ExternalState::linked;
  external.created_at = context_.now;
  decision_.insert(std::move(external));

  leave(DeliveryState::done);
  row_.maybe_sent = true;
  row_.reason_class = ReasonClass::none;
  row_.reason.clear();
  row_.finished_at = context_.now;
  note(actor, "delivered", detail({{"system", row_.worker}, {"key", remote.key}, {"url", remote.url}}));
  settle_item();
  if (state_.ticket) {
    const auto& ticket = *state_.ticket;
    decision_.events.push_back({std::string{messages::TicketChanged::type}, ticket.board_id,
                                codec::encode(messages::TicketChanged{ticket.id, ticket.board_id, "delivered", ticket.version, ticket.state})});
  }
}

void DeliveryMachine::duplicate(const messages::Remote& remote) {
  store::ExternalTicketRow external;
  external.id = crypto::uuid_v5(row_.id, {"external", remote.id});
  external.ticket_id = row_.ticket_id;
  external.board_id = row_.board_id;
  external.delivery_id = row_.id;
  external.connection_id = row_.destination_id;
  external.system = row_.worker;
  external.remote_id = remote.id;
  external.remote_key = remote.key;
  external.url = remote.url;
  external.state = store::ExternalState::duplicate;
  external.created_at = context_.now;
  decision_.insert(std::move(external));
  alarm(fmt::format("delivery {} has a second object on the far side: {} {}", row_.id, remote.id, remote.url));
  note("ledger", "duplicate_found", detail({{"key", remote.key}, {"url", remote.url}}));
}

// The send that was claimed had no effect, by the word of the far side or of the worker.
void DeliveryMachine::not_sent_after_all() {
  if (is_mail(row_)) return mail_not_sent();
  if (row_.step == DeliveryStep::send) row_.maybe_sent = false;
}

void DeliveryMachine::wait_until(std::int64_t due, ReasonClass reason_class, std::string_view reason, std::string_view action) {
  leave(DeliveryState::waiting);
  not_sent_after_all();
  row_.due_at = std::max(due, context_.now);
  row_.reason_class = reason_class;
  row_.reason = to_valid_utf8(reason);
  note("ledger", action,
       fmt::format(R"({{"reason_class":"{}","reason":"{}","due_at":"{}"}})", messages::name_of(reason_class), json_escaped(reason),
                   to_rfc3339(from_micros(row_.due_at))));
}

void DeliveryMachine::wait_spending(ReasonClass reason_class, std::string_view reason, std::optional<std::int64_t> after_ms) {
  ++row_.attempts;
  if (row_.attempts >= attempts_allowed(context_.config, row_.worker)) {
    not_sent_after_all();
    return shelve(reason_class, reason);
  }
  std::int64_t due = context_.now + back_off(context_, micros(context_.config.delivery.backoff_base), back_off_cap(context_.config, row_.worker), row_.attempts);
  if (after_ms) {
    const std::int64_t wish = std::clamp<std::int64_t>(*after_ms, 0, context_.config.delivery.retry_after_cap.count());
    due = std::max(due, context_.now + wish * 1'000);
  }
  wait_until(due, reason_class, reason, "deferred");
}

void DeliveryMachine::refuse(ReasonClass reason_class, std::string_view reason) {
  not_sent_after_all();
  shelve(reason_class, reason);
}

void DeliveryMachine::snooze(std::int64_t due, ReasonClass reason_class, std::string_view reason) {
  ++row_.snoozes;
  wait_until(due, reason_class, reason, "snoozed");
}

void DeliveryMachine::resolve_at(std::int64_t due, ReasonClass reason_class, std::string_view reason) {
  leave(DeliveryState::waiting);
  if (row_.step == DeliveryStep::send) row_.absent_count = 0;
  row_.step = DeliveryStep::resolve;
  row_.due_at = std::max(due, context_.now);
  row_.reason_class = reason_class;
  row_.reason = to_valid_utf8(reason);
  note("ledger", "in_doubt",
       fmt::format(R"({{"reason":"{}","due_at":"{}"}})", json_escaped(reason), to_rfc3339(from_micros(row_.due_at))));
}

void DeliveryMachine::absent() {
  ++row_.absent_count;
  if (row_.absent_count < 2 && !saboteur("absent_once_believed")) {
    return resolve_at(context_.now + settle_time(context_.config, row_.worker), ReasonClass::absent, "the far side does not have it; it is asked once more");
  }
  leave(DeliveryState::waiting);
  row_.step = DeliveryStep::send;
  row_.maybe_sent = false;
  row_.absent_count = 0;
  row_.due_at = context_.now;
  row_.reason_class = ReasonClass::absent;
  row_.reason = "the far side does not have it; it is sent again";
  note("ledger", "proved_absent");
  if (is_for_the_desk()) return keep_on_desk("ledger");
  retarget();
  ++row_.attempts;
  if (row_.attempts >= context_.config.delivery.max_attempts) shelve(ReasonClass::absent, "sent and never arrived, too often");
}

void DeliveryMachine::shelve(ReasonClass reason_class, std::string_view reason) {
  leave(DeliveryState::standby);
  row_.reason_class = reason_class;
  row_.reason = to_valid_utf8(reason);
  const std::string_view class_name = messages::name_of(reason_class);
  if (item_ && is_unfinished(item_->state)) {
    reopen(*item_, class_name, reason, context_);
  } else {
    store::StandbyRow item;
    item.id = context_.ids.next();
    item.kind = messages::StandbyKind::delivery;
    item.subject_id = row_.id;
    item.ticket_id = row_.ticket_id;
    item.board_id = row_.board_id;
    item.correlation_id = about().correlation_id;
    item.connection_id = row_.destination_id;
    item.worker = row_.worker;
    item.message_type = is_mail(row_) ? type_of(row_) : fmt::format("{}.create.v1", row_.worker);
    item.reason_class = class_name;
    item.reason = row_.reason;
    item.group_key = group_key(item.worker, class_name, reason, item.message_type);
    if (is_mail(row_)) {
      item.original = row_.notice;
    } else if (state_.ticket) {
      item.original = codec::encode(messages::DeliveryEdit{state_.ticket->title, state_.ticket->description});
    }
    item.properties = detail({{"delivery_id", row_.id}, {"attempts", std::to_string(row_.attempts)}, {"maybe_sent", row_.maybe_sent ? "yes" : "no"}});
    item.attempts = std::max<std::int64_t>(1, row_.attempts);
    item.first_at = item.last_at = context_.now;
    item.version = 1;
    row_.standby_id = item.id;
    item_ = std::move(item);
    is_new_item_ = true;
  }
  note("ledger", "shelved", detail({{"reason_class", std::string{class_name}}, {"reason", std::string{reason}}}));
  decision_.notices.push_back({false, fmt::format("delivery {} of ticket {} shelved: {}", row_.id, row_.ticket_id, row_.reason), about().correlation_id,
                               std::string{class_name}});
  if (state_.ticket && !is_mail(row_)) {
    const auto& ticket = *state_.ticket;
    decision_.events.push_back({std::string{messages::TicketChanged::type}, ticket.board_id,
                                codec::encode(messages::TicketChanged{ticket.id, ticket.board_id, "shelved", ticket.version, ticket.state})});
  }
}

// --- a person's word ---

void DeliveryMachine::retarget() {
  row_.board_id = state_.ticket ? state_.ticket->board_id : row_.board_id;
  if (!state_.board) return;
  const auto today = target_from(state_.board->target);
  if (!today || !today->connection_id || today->connection_id == row_.destination_id) return;
  row_.destination_id = *today->connection_id;
  row_.worker = messages::name_of(today->kind);
  row_.attempt_target = state_.board->target;
  decision_.touched.push_back(row_.destination_id);
}

bool DeliveryMachine::is_for_the_desk() const {
  const auto today = state_.board ? target_from(state_.board->target) : std::nullopt;
  return today && today->kind == messages::TargetKind::desk && !row_.maybe_sent;
}

// The ticket is where it belongs by now; what was never sent needs no far side any more.
void DeliveryMachine::keep_on_desk(std::string_view actor) {
  cancel(actor, "the board keeps its tickets on the desk");
  settle_item();
}

void DeliveryMachine::retry(std::string_view actor) {
  if (is_mail(row_)) return retry_mail(actor);
  if (is_for_the_desk()) return keep_on_desk(actor);
  row_.attempts = row_.snoozes = row_.absent_count = 0;
  row_.step = row_.maybe_sent && !saboteur("doubt_forgotten_on_standby") ? DeliveryStep::resolve : DeliveryStep::send;
  const std::int64_t settled = row_.sent_at + claim_span();
  row_.due_at = row_.maybe_sent ? std::max(context_.now, settled) : context_.now;
  row_.state = DeliveryState::waiting;
  if (!row_.maybe_sent) retarget();
  retried(actor);
}

void DeliveryMachine::retried(std::string_view actor) {
  decision_.touched.push_back(row_.destination_id);
  if (item_) {
    item_->state = StandbyState::retry_pending;
    item_->due_at = context_.now + retry_deadline;
    ++item_->retry_no;
    ++item_->version;
  }
  note(actor, "retried", detail({{"step", std::string{messages::name_of(row_.step)}}}));
}

void DeliveryMachine::cancel(std::string_view actor, std::string_view reason) {
  leave(DeliveryState::cancelled);
  row_.finished_at = context_.now;
  note(actor, "cancelled", detail({{"reason", std::string{reason}}}));
}

void DeliveryMachine::far_side_is(store::ConnectionState state, ReasonClass reason_class, std::string_view reason) {
  if (!connection_ || (connection_->state == state && connection_->reason_class == reason_class)) return;
  connection_->state = state;
  connection_->reason_class = reason_class;
  connection_->reason = to_valid_utf8(reason);
  connection_->state_at = context_.now;
}

Decision DeliveryMachine::finish() {
  if (is_mail(row_)) wake_next_mail();
  decision_.update(*state_.delivery, row_);
  if (state_.destination) decision_.update(*state_.destination, destination_);
  if (state_.connection) decision_.update(*state_.connection, *connection_);
  if (item_) {
    if (is_new_item_) {
      decision_.insert(*item_);
      announce(decision_, *item_);
    } else if (*item_ != *state_.item) {
      decision_.update(*state_.item, *item_);
      announce(decision_, *item_);
    }
  }
  return std::move(decision_);
}

}  // namespace postroom::ledger
