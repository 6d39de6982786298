#include "common/store/views.hpp"

#include "common/store/json_object.hpp"

namespace postroom::store {

using views::Object;
using views::array_of;

namespace {

std::string delivery_json(const DeliveryRow& delivery) {
  return Object{}
      .text("id", delivery.id)
      .name_of("state", delivery.state)
      .name_of("step", delivery.step)
      .number("attempts", delivery.attempts)
      .name_of("reason_class", delivery.reason_class)
      .text("reason", delivery.reason)
      .time("due_at", delivery.due_at)
      .done();
}

// Among others of the same ticket: what it does, and for whom.
std::string traced_delivery_json(const DeliveryRow& delivery) {
  std::string json = delivery_json(delivery);
  json.pop_back();
  return json + fmt::format(R"(,"kind":"{}","cause":"{}","worker":"{}","recipient":"{}"}})", json_escaped(delivery.kind), json_escaped(delivery.cause),
                            json_escaped(delivery.worker), json_escaped(delivery.recipient));
}

std::string by_kind_json(const std::vector<Balance::Deliveries>& kinds) {
  Object out;
  for (const auto& kind : kinds) {
    out.raw(kind.kind, Object{}
                           .number("waiting", kind.waiting)
                           .number("dispatched", kind.dispatched)
                           .number("claimed", kind.claimed)
                           .number("standby", kind.standby)
                           .number("done", kind.done)
                           .number("cancelled", kind.cancelled)
                           .number("assumed_sent", kind.assumed_sent)
                           .done());
  }
  return out.done();
}

std::string external_summary(const ExternalTicketRow& external) {
  return Object{}
      .text("id", external.id)
      .text("system", external.system)
      .text("key", external.remote_key)
      .text("url", external.url)
      .text("remote_id", external.remote_id)
      .done();
}

Object standby_members(const StandbyRow& item) {
  Object out;
  out.text("id", item.id)
      .name_of("kind", item.kind)
      .text("subject_id", item.subject_id)
      .text("correlation_id", item.correlation_id)
      .text("ticket_id", item.ticket_id)
      .text("board_id", item.board_id)
      .text("connection_id", item.connection_id)
      .text("worker", item.worker)
      .text("message_type", item.message_type)
      .text("reason_class", item.reason_class)
      .text("reason", item.reason)
      .text("group_key", item.group_key)
      .number("retries", item.retry_no)
      .number("attempts", item.attempts)
      .time("first_at", item.first_at)
      .time("last_at", item.last_at)
      .text("assignee", item.assignee)
      .text("note", item.note)
      .name_of("state", item.state)
      .time("due_at", item.due_at)
      .text("link_id", item.link_id)
      .number("version", item.version);
  return out;
}

Object with_face(Object members, const StandbyFace& face) {
  const auto known = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional{text}; };
  members.text("from", known(face.from)).text("title", known(face.title));
  return members;
}

}  // namespace

std::string board_json(const BoardRow& board) {
  return Object{}
      .text("id", board.id)
      .text("name", board.name)
      .name_of("state", board.state)
      .flag("is_public", board.is_public)
      .raw("keywords", board.keywords)
      .raw("target", board.target)
      .number("version", board.version)
      .time("created_at", board.created_at)
      .time("updated_at", board.updated_at)
      .done();
}

std::string connection_json(const ConnectionRow& connection) {
  return Object{}
      .text("id", connection.id)
      .text("name", connection.name)
      .name_of("kind", connection.kind)
      .text("base_url", connection.base_url)
      .text("account", connection.account)
      .name_of("state", connection.state)
      .name_of("reason_class", connection.reason_class)
      .text("reason", connection.reason)
      .time("state_at", connection.state_at)
      .flag("is_paused", connection.is_paused)
      .number("version", connection.version)
      .time("created_at", connection.created_at)
      .time("updated_at", connection.updated_at)
      .done();
}

std::string ticket_json(const TicketView& view) {
  const auto& ticket = view.ticket;
  return Object{}
      .text("id", ticket.id)
      .number("number", ticket.number)
      .text("board_id", ticket.board_id)
      .text("title", ticket.title)
      .text("description", ticket.description)
      .text("creator_email", ticket.creator_email)
      .text("creator_name", ticket.creator_name)
      .text("priority", ticket.priority)
      .name_of("state", ticket.state)
      .number("version", ticket.version)
      .time("created_at", ticket.created_at)
      .time("updated_at", ticket.updated_at)
      .raw("delivery", view.delivery ? delivery_json(*view.delivery) : "null")
      .raw("external_ticket", view.external ? external_summary(*view.external) : "null")
      .done();
}

std::string shelved_ticket_json(const ArrivalView& view) {
  Object standby;
  if (view.standby) standby.text("id", view.standby->id).text("reason_class", view.standby->reason_class).text("reason", view.standby->reason);
  return Object{}
      .text("id", view.arrival.ticket_id)
      .name_of("state", view.arrival.state)
      .raw("standby", view.standby ? standby.done() : "null")
      .text("arrival_id", view.arrival.id)
      .text("ticket_id", view.mail ? view.mail->ticket_id : std::nullopt)
      .done();
}

std::string external_ticket_json(const ExternalTicketRow& external) {
  return Object{}
      .text("id", external.id)
      .text("ticket_id", external.ticket_id)
      .text("board_id", external.board_id)
      .text("connection_id", external.connection_id)
      .text("system", external.system)
      .text("remote_id", external.remote_id)
      .text("key", external.remote_key)
      .text("url", external.url)
      .name_of("state", external.state)
      .time("created_at", external.created_at)
      .done();
}

std::string history_json(const HistoryRow& entry) {
  return Object{}.time("at", entry.at).text("actor", entry.actor).text("action", entry.action).raw("detail", entry.detail).done();
}

std::string standby_json(const StandbyRow& item) { return standby_members(item).done(); }

std::string standby_json(const StandbyRow& item, const StandbyFace& face) { return with_face(standby_members(item), face).done(); }

std::string standby_json(const StandbyView& view, const StandbyFace& face) {
  return with_face(standby_members(view.item), face)
      .text("original", view.item.original)
      .flag("original_is_base64", view.item.original_is_base64)
      .raw("properties", view.item.properties)
      .raw("mail", view.mail ? mail_json(*view.mail) : "null")
      .raw("history", array_of(view.history, history_json))
      .done();
}

std::string command_json(const InboxRow& command) {
  const std::string_view state = command.status == 202 ? "running" : command.status < 300 ? "done" : "rejected";
  return Object{}.text("id", command.message_id).text("state", state).number("status", command.status).raw("result", command.result).done();
}

std::string balance_json(const Balance& balance) {
  const std::string deliveries = Object{}
                                     .number("waiting", balance.waiting)
                                     .number("dispatched", balance.dispatched)
                                     .number("claimed", balance.claimed)
                                     .number("standby", balance.deliveries_standby)
                                     .number("done", balance.done)
                                     .number("cancelled", balance.cancelled)
                                     .raw("by_kind", by_kind_json(balance.by_kind))
                                     .done();
  return Object{}
      .number("accepted", balance.accepted)
      .number("opened", balance.opened)
      .number("received", balance.received)
      .number("reply", balance.reply)
      .number("duplicate", balance.duplicate)
      .number("bounce", balance.bounce)
      .number("own", balance.own)
      .number("standby", balance.standby)
      .number("deleted", balance.deleted)
      .raw("deliveries", deliveries)
      .done();
}

std::string trace_json(const Trace& trace) {
  Object out;
  out.text("asked", trace.asked).text("correlation_id", trace.correlation_id);
  if (trace.arrival) {
    out.raw("arrival", Object{}
                           .text("id", trace.arrival->id)
                           .text("kind", trace.arrival->kind)
                           .name_of("state", trace.arrival->state)
                           .text("actor", trace.arrival->actor)
                           .time("accepted_at", trace.arrival->accepted_at)
                           .time("decided_at", trace.arrival->decided_at)
                           .done());
  } else {
    out.raw("arrival", "null");
  }
  return out.raw("tickets", array_of(trace.tickets, [](const TicketRow& ticket) { return ticket_json(TicketView{ticket, {}, {}}); }))
      .raw("deliveries", array_of(trace.deliveries, traced_delivery_json))
      .raw("external_tickets", array_of(trace.externals, external_ticket_json))
      .raw("standby", array_of(trace.standby, [](const StandbyRow& item) { return standby_json(item); }))
      .raw("mails", array_of(trace.mails, mail_json))
      .raw("history", array_of(trace.history, history_json))
      .raw("others", array_of(trace.others, trace_json))
      .done();
}

std::string data_json(std::string_view object) { return fmt::format("{{\"data\":{}}}", object); }

}  // namespace postroom::store
