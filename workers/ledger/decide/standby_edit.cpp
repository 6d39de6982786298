#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/shelf.hpp"
#include "workers/ledger/decide/standby_item.hpp"

namespace postroom::ledger {

using messages::StandbyEdit;
using messages::StandbyKind;
using messages::StandbyState;

namespace {

Decision not_acceptable(const Error& error, std::string_view command_id) {
  return refused({422, "invalid", "Not acceptable", error.what(), "/body" + error.where()}, command_id);
}

// The copy takes the original's place; the original stays readable behind the link.
store::StandbyRow copy_of(const store::StandbyRow& original, const StandbyEdit& message, std::string body) {
  store::StandbyRow copy = original;
  copy.id = message.new_id;
  copy.original = std::move(body);
  copy.original_is_base64 = false;
  copy.link_id = original.id;
  copy.version = 1;
  return copy;
}

void retire(const State& state, const StandbyEdit& message, Decision& decision, Context& context) {
  store::StandbyRow original = *state.item;
  original.state = StandbyState::resolved;
  original.due_at = 0;
  original.link_id = message.new_id;
  ++original.version;
  note(decision, context, about_item(original), message.actor, "edited", detail({{"copy", message.new_id}}));
  announce(decision, original);
  decision.update(*state.item, std::move(original));
}

Decision edit_delivery(const State& state, const StandbyEdit& message, const std::string& command_id, Context& context) {
  if (state.delivery && is_mail(*state.delivery)) {
    return refused({409, "not-editable", "Not editable", "What a mail says follows from its ticket: retry it, or delete it and write another comment.", ""}, command_id);
  }
  auto edit = codec::decode<messages::DeliveryEdit>(message.body.text);
  if (!edit) return not_acceptable(edit.error(), command_id);
  if (!state.delivery || !state.ticket || state.delivery->state != store::DeliveryState::standby) {
    return refused({409, "not-on-standby", "Not on standby", "Its delivery is not on standby any more.", ""}, command_id);
  }
  store::TicketRow ticket = *state.ticket;
  if (edit->title) ticket.title = *edit->title;
  if (edit->description) ticket.description = *edit->description;
  ticket.updated_at = context.now;
  ++ticket.version;

  // The machine retries with the copy as its item; the copy is new, so it is inserted here and the machine only tells what it became.
  State with_copy = state;
  with_copy.item = copy_of(*state.item, message, codec::encode(messages::DeliveryEdit{ticket.title, ticket.description}));
  with_copy.delivery->standby_id = with_copy.item->id;
  DeliveryMachine machine{with_copy, context};
  machine.retry(message.actor);
  Decision decision = machine.finish();
  Decision out;
  for (auto& change : decision.changes) {
    if (const auto* copy = std::get_if<store::StandbyRow>(&change.after)) {
      out.reply(200, item_answer(*copy));
      out.insert(*copy);
    } else if (const auto* delivery = std::get_if<store::DeliveryRow>(&change.after)) {
      out.update(*state.delivery, *delivery);  // the link to the copy is a change too
    } else {
      out.changes.push_back(std::move(change));
    }
  }
  out.events = std::move(decision.events);
  out.touched = std::move(decision.touched);
  out.update(*state.ticket, std::move(ticket));
  retire(state, message, out, context);
  return out;
}

// Of a mail other bytes may be given, but it stays the mail of that place in that mailbox, with the ticket that was promised.
std::optional<Error> changed_identity(const State& state, const messages::MailArrived& mail) {
  if (!state.arrival) return std::nullopt;
  if (mail.ticket_id != state.arrival->ticket_id) return Error{Code::bad_message, "is promised to the sender and cannot change", "/ticket_id"};
  if (natural_key(mail, state.arrival->id) != state.arrival->natural_key) {
    return Error{Code::bad_message, "inbox, UIDVALIDITY and UID say which mail it is and cannot change", "/uid"};
  }
  return std::nullopt;
}

Decision edit_message(const State& state, const StandbyEdit& message, const std::string& command_id, Context& context) {
  store::StandbyRow copy = copy_of(*state.item, message, message.body.text);
  if (copy.message_type == messages::TicketOpen::type) {
    auto ticket = codec::decode<messages::TicketOpen>(message.body.text);
    if (!ticket) return not_acceptable(ticket.error(), command_id);
    if (copy.ticket_id && ticket->ticket_id != *copy.ticket_id) {
      return not_acceptable(Error{Code::bad_message, "is promised to the sender and cannot change", "/ticket_id"}, command_id);
    }
    copy.board_id = ticket->board_id;
  }
  if (copy.message_type == messages::MailArrived::type) {
    auto mail = codec::decode<messages::MailArrived>(message.body.text);
    if (!mail) return not_acceptable(mail.error(), command_id);
    if (const auto wrong = changed_identity(state, *mail)) return not_acceptable(*wrong, command_id);
  }
  const std::int64_t replay_no = state.subject_retries + 1;
  auto out = replay_of(copy, replay_no);
  if (!out) return not_acceptable(out.error(), command_id);
  Decision decision;
  copy.retry_no = replay_no;
  copy.state = StandbyState::retry_pending;
  copy.due_at = context.now + 120'000'000;
  decision.must_arrive.push_back(std::move(*out));
  retire(state, message, decision, context);
  if (state.arrival && state.arrival->state == store::ArrivalState::standby) {
    store::ArrivalRow arrival = *state.arrival;
    arrival.standby_id = copy.id;
    decision.update(*state.arrival, std::move(arrival));
  }
  note(decision, context, about_item(copy), message.actor, "retried", fmt::format(R"({{"retry":{}}})", replay_no));
  announce(decision, copy);
  decision.reply(200, item_answer(copy));
  decision.insert(std::move(copy));
  return decision;
}

}  // namespace

Needs needs(const StandbyEdit& message, const Incoming&) {
  Needs needs;
  needs.standby_id = message.standby_id;
  return needs;
}

Decision decide(const State& state, const StandbyEdit& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (auto obstacle = item_obstacle(state, message.standby_id, message.expected_version, false, command_id)) return std::move(*obstacle);
  if (state.item->kind == StandbyKind::delivery) return edit_delivery(state, message, command_id, context);
  return edit_message(state, message, command_id, context);
}

}  // namespace postroom::ledger
