// Messages that cannot be taken, and those that the broker gave up on.

#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/standby_item.hpp"

namespace postroom::ledger {

using messages::StandbyState;

namespace {

// A tracker's job names its delivery.
std::optional<std::string> delivery_of(const Incoming& in) {
  const std::string_view type = in.envelope.type;
  if (!type.ends_with(".create.v1") && !type.ends_with(".resolve.v1")) return std::nullopt;
  if (!type.starts_with("jira.") && !type.starts_with("trello.")) return std::nullopt;
  auto job = codec::decode<messages::JiraCreate>(in.body);
  return job ? std::optional{job->delivery_id} : std::nullopt;
}

// "delivery_limit", "rejected", …: the broker's word for it, when it left one.
std::string broker_reason(const Incoming& in) {
  for (const std::string_view reason : {"delivery_limit", "maxlen", "expired", "rejected"}) {
    if (in.headers_json.find(fmt::format("\"{}\"", reason)) != std::string_view::npos) return std::string{reason};
  }
  return "unroutable";
}

}  // namespace

Needs poison_needs(const Incoming& in) {
  Needs needs;
  needs.subject_id = in.envelope.message_id;
  return needs;
}

Decision decide_poison(const State& state, const Incoming& in, std::string_view reason_class, std::string_view reason, Context& context) {
  Decision decision;
  if (in.envelope.retry > 0 && state.pending_item && state.pending_item->retry_no == in.envelope.retry) {
    store::StandbyRow item = *state.pending_item;
    reopen(item, reason_class, reason, context);
    note(decision, context, about_item(item), "ledger", "shelved", detail({{"reason_class", std::string{reason_class}}, {"reason", std::string{reason}}}));
    announce(decision, item);
    decision.update(*state.pending_item, std::move(item));
    return decision;
  }
  store::StandbyRow item = item_of(in, messages::StandbyKind::poison, reason_class, reason, context);
  note(decision, context, about_item(item), "ledger", "shelved", detail({{"reason_class", std::string{reason_class}}, {"reason", std::string{reason}}}));
  announce(decision, item);
  decision.insert(std::move(item));
  return decision;
}

Needs dead_letter_needs(const Incoming& in) {
  Needs needs = poison_needs(in);
  needs.delivery_id = delivery_of(in);
  return needs;
}

Decision decide_dead_letter(const State& state, const Incoming& in, Context& context) {
  const std::string reason = broker_reason(in);
  if (state.delivery) {
    Decision decision;
    // The row lives (or has ended); its clock sees to it.
    note(decision, context, {in.envelope.correlation_id, state.delivery->ticket_id, state.delivery->id, {}}, "broker", "job_dropped", detail({{"reason", reason}}));
    return decision;
  }
  return decide_poison(state, in, reason, fmt::format("The broker gave up on it: {}.", reason), context);
}

void settle_replay(const State& state, const Incoming& in, Context& context, Decision& decision) {
  if (in.envelope.retry <= 0 || !state.pending_item || state.pending_item->retry_no != in.envelope.retry) return;
  store::StandbyRow item = *state.pending_item;
  if (decision.status >= 400) {
    reopen(item, "refused", fmt::format("refused with status {}", decision.status), context);
    note(decision, context, about_item(item), "ledger", "shelved", detail({{"reason_class", "refused"}}));
  } else {
    item.state = StandbyState::resolved;
    item.due_at = 0;
    ++item.version;
    note(decision, context, about_item(item), "ledger", "resolved");
  }
  announce(decision, item);
  decision.update(*state.pending_item, std::move(item));
}

}  // namespace postroom::ledger
