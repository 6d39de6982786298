#include "workers/ledger/decide/arrival_desk.hpp"

#include <fmt/format.h>

#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::StandbyState;
using store::ArrivalState;

std::int64_t accepted_at(const Incoming& in, const Context& context) {
  const std::int64_t told = to_micros(in.envelope.timestamp);
  return told > 0 ? told : context.now;
}

std::string correlation_of(const Incoming& in) { return in.envelope.correlation_id.empty() ? in.envelope.message_id : in.envelope.correlation_id; }

ArrivalDesk::ArrivalDesk(const State& state, Context& context, Decision& decision, store::ArrivalRow fresh)
    : state_(state), context_(context), decision_(decision), row_(state.arrival ? *state.arrival : std::move(fresh)) {}

About ArrivalDesk::about(std::optional<std::string> standby_id) const { return {row_.correlation_id, row_.ticket_id, {}, std::move(standby_id)}; }

void ArrivalDesk::note(std::string_view actor, std::string_view action, std::string detail_json, std::optional<std::string> standby_id) {
  ledger::note(decision_, context_, about(std::move(standby_id)), actor, action, std::move(detail_json));
}

void ArrivalDesk::write(ArrivalState next) {
  const auto counter = [](ArrivalState state) { return fmt::format("arrivals_{}", messages::name_of(state)); };
  row_.state = next;
  row_.decided_at = next == ArrivalState::received ? 0 : context_.now;
  if (is_new()) {
    decision_.count("arrivals_accepted");
    decision_.count(counter(next));
    decision_.insert(row_);
    return;
  }
  if (state_.arrival->state != next) {
    decision_.count(counter(state_.arrival->state), -1);
    decision_.count(counter(next));
  }
  decision_.update(*state_.arrival, row_);
}

void ArrivalDesk::settle_item() {
  const auto& earlier = earlier_item();
  if (!earlier || !is_unfinished(earlier->state)) return;
  store::StandbyRow item = *earlier;
  item.state = StandbyState::resolved;
  item.due_at = 0;
  ++item.version;
  announce(decision_, item);
  note("ledger", "resolved", "{}", item.id);
  decision_.update(*earlier, std::move(item));
}

void ArrivalDesk::end_as(ArrivalState next) {
  settle_item();
  write(next);
}

void ArrivalDesk::shelve(store::StandbyRow fresh, std::string_view reason_class, std::string_view reason) {
  const auto& earlier = earlier_item();
  const bool was_there = earlier && is_unfinished(earlier->state);
  store::StandbyRow item = was_there ? *earlier : std::move(fresh);
  item.kind = messages::StandbyKind::arrival;
  item.ticket_id = row_.ticket_id;
  item.board_id = row_.board_id;
  if (was_there) reopen(item, reason_class, reason, context_);
  row_.standby_id = item.id;
  announce(decision_, item);
  note("ledger", "shelved", detail({{"reason_class", std::string{reason_class}}, {"reason", std::string{reason}}}), item.id);
  decision_.notices.push_back({false, fmt::format("arrival {} shelved: {}", row_.id, reason), row_.correlation_id, std::string{reason_class}});
  if (was_there) {
    decision_.update(*earlier, std::move(item));
  } else {
    decision_.insert(std::move(item));
  }
  write(ArrivalState::standby);
}

}  // namespace postroom::ledger
