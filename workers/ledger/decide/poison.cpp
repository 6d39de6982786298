// Messages that cannot be taken, and those that the broker gave up on.

#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/standby_item.hpp"

namespace postroom::ledger {

using messages::StandbyState;

namespace {

// The job of a delivery names it.
std::optional<messages::JiraCreate> job_of(const Incoming& in) {
  const std::string_view type = in.envelope.type;
  const bool is_of_tracker = (type.ends_with(".create.v1") || type.ends_with(".resolve.v1")) && (type.starts_with("jira.") || type.starts_with("trello."));
  if (!is_of_tracker && type != messages::NotifyMail::type) return std::nullopt;
  auto job = codec::decode<messages::JiraCreate>(in.body);
  return job ? std::optional{std::move(*job)} : std::nullopt;
}

std::optional<messages::MailParse> parse_job_of(const Incoming& in) {
  if (in.envelope.type != messages::MailParse::type) return std::nullopt;
  auto job = codec::decode<messages::MailParse>(in.body);
  return job ? std::optional{std::move(*job)} : std::nullopt;
}

// A mail that could not be taken lies on the shelf whole; its mailbox goes on behind it.
std::optional<messages::MailArrived> mail_of(const Incoming& in) {
  if (in.envelope.type != messages::MailArrived::type || in.envelope.retry > 0) return std::nullopt;
  auto message = codec::decode<messages::MailArrived>(in.body);
  return message ? std::optional{std::move(*message)} : std::nullopt;
}

// "delivery_limit", "rejected", …: the broker's word for it, when it left one.
std::string broker_reason(const Incoming& in) {
  for (const std::string_view reason : {"delivery_limit", "maxlen", "expired", "rejected"}) {
    if (in.headers_json.find(fmt::format("\"{}\"", reason)) != std::string_view::npos) return std::string{reason};
  }
  return "unroutable";
}

// The same message on the same try is the same item, however often the broker brings it.
std::string poison_id(const Incoming& in) {
  return crypto::uuid_v5("", {in.envelope.message_id, std::to_string(in.envelope.retry), in.queue, crypto::sha256(in.body)});
}

// A ticket.open that nobody can read was promised all the same: its ticket's id follows from its own.
std::optional<std::string> promised_ticket(const Incoming& in) {
  const std::string& id = in.envelope.message_id;
  if (!std::string_view{in.envelope.type}.starts_with("ticket.open.") || !is_uuid(id)) return std::nullopt;
  return crypto::uuid_v5(id, {"ticket"});
}

void write_arrival(const Incoming& in, const std::string& ticket_id, const store::StandbyRow& item, Context& context, Decision& decision) {
  store::ArrivalRow arrival;
  arrival.id = arrival.natural_key = in.envelope.message_id;
  arrival.kind = messages::name_of(messages::ArrivalKind::api);
  arrival.correlation_id = item.correlation_id;
  arrival.ticket_id = ticket_id;
  arrival.actor = in.envelope.user_id;
  arrival.state = store::ArrivalState::standby;
  arrival.standby_id = item.id;
  arrival.accepted_at = to_micros(in.envelope.timestamp) > 0 ? to_micros(in.envelope.timestamp) : context.now;
  arrival.decided_at = context.now;
  decision.insert(std::move(arrival));
  decision.count("arrivals_accepted");
  decision.count("arrivals_standby");
}

}  // namespace

Needs poison_needs(const Incoming& in) {
  Needs needs;
  needs.subject_id = in.envelope.message_id;
  needs.standby_id = poison_id(in);
  if (promised_ticket(in)) needs.arrival_id = in.envelope.message_id;
  if (const auto mail = mail_of(in)) needs.mailbox_id = mail->inbox_id;
  // What was read of a mail is about the arrival that it is correlated with.
  if (in.envelope.type == messages::MailParsed::type) need_unparsable(needs, in.envelope.correlation_id);
  return needs;
}

Decision decide_poison(const State& state, const Incoming& in, std::string_view reason_class, std::string_view reason, Context& context) {
  if (in.envelope.type == messages::MailParsed::type && state.mail && state.arrival && reason_class != not_allowed) {
    // Read once more it would be the same again: the mail goes to the shelf, not its reading.
    if (state.mail->stage != store::MailStage::parsing) return {};
    return decide_unparsable(state, fmt::format("what was read of it cannot be taken: {}", reason), context);
  }
  Decision decision;
  if (const auto mail = mail_of(in); mail && reason_class != not_allowed) move_cursor(decision, context, state.mailbox, *mail, false);
  decision.notices.push_back({false, fmt::format("message {} of type {} shelved: {}", in.envelope.message_id, in.envelope.type, reason),
                              in.envelope.correlation_id, std::string{reason_class}});
  if (in.envelope.retry > 0 && state.pending_item && state.pending_item->retry_no == in.envelope.retry) {
    store::StandbyRow item = *state.pending_item;
    reopen(item, reason_class, reason, context);
    note(decision, context, about_item(item), "ledger", "shelved", detail({{"reason_class", std::string{reason_class}}, {"reason", std::string{reason}}}));
    announce(decision, item);
    decision.update(*state.pending_item, std::move(item));
    return decision;
  }
  if (state.item && state.item->id == poison_id(in)) return decision;
  store::StandbyRow item = item_of(in, messages::StandbyKind::poison, reason_class, reason, context);
  item.id = poison_id(in);
  if (const auto ticket_id = promised_ticket(in); ticket_id && reason_class != reused_key) {
    item.ticket_id = ticket_id;
    if (!state.arrival) write_arrival(in, *ticket_id, item, context, decision);
  }
  note(decision, context, about_item(item), "ledger", "shelved", detail({{"reason_class", std::string{reason_class}}, {"reason", std::string{reason}}}));
  announce(decision, item);
  decision.insert(std::move(item));
  return decision;
}

Needs dead_letter_needs(const Incoming& in) {
  Needs needs = poison_needs(in);
  if (const auto job = job_of(in)) needs.delivery_id = job->delivery_id;
  if (const auto job = parse_job_of(in)) need_unparsable(needs, job->arrival_id);
  return needs;
}

Decision decide_dead_letter(const State& state, const Incoming& in, Context& context) {
  const std::string reason = broker_reason(in);
  if (in.envelope.type == messages::ImapPoll::type) {
    // Its inbox is given out again after silence; an old job would only be dropped.
    Decision decision;
    decision.alarm(fmt::format("a poll came back from the broker: {}", reason), in.envelope.correlation_id);
    return decision;
  }
  if (const auto job = parse_job_of(in); job && state.mail && state.arrival) {
    // It ended every router that took it. An older job of it is only an echo.
    const bool is_current = state.mail->stage == store::MailStage::parsing && state.mail->parse_no == job->parse_no;
    return is_current ? decide_unparsable(state, fmt::format("no router could: {}.", reason), context) : Decision{};
  }
  if (state.delivery) {
    // The row lives, or has ended. A job that no worker could take spends an attempt, so that it ends on the shelf and not in a circle.
    DeliveryMachine machine{state, context};
    const auto job = job_of(in);
    const bool is_current = machine.row().state == store::DeliveryState::dispatched && job && job->dispatch_no == machine.row().dispatch_no;
    machine.note("broker", "job_dropped", detail({{"reason", reason}}));
    if (is_current && machine.has_destination()) {
      machine.wait_spending(messages::ReasonClass::protocol, fmt::format("no worker could take the job: {}", reason), std::nullopt);
    }
    return machine.finish();
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
