#include "common/store/views.hpp"

#include <fmt/format.h>

#include <concepts>

#include "common/base/clock.hpp"
#include "common/base/text.hpp"

namespace postroom::store {

namespace {

// One JSON object, member by member.
class Object {
 public:
  Object& text(std::string_view name, std::string_view value) { return raw(name, fmt::format("\"{}\"", json_escaped(value))); }
  Object& text(std::string_view name, const std::same_as<std::optional<std::string>> auto& value) { return value ? text(name, std::string_view{*value}) : raw(name, "null"); }
  Object& number(std::string_view name, std::int64_t value) { return raw(name, fmt::format("{}", value)); }
  Object& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  Object& time(std::string_view name, std::int64_t micros) {
    return micros == 0 ? raw(name, "null") : text(name, to_rfc3339(from_micros(micros)));
  }
  template <class E>
  Object& name_of(std::string_view name, E value) {
    return text(name, messages::name_of(value));
  }
  Object& raw(std::string_view name, std::string_view json) {
    out_ += out_.size() == 1 ? "\"" : ",\"";
    out_ += name;
    out_ += "\":";
    out_ += json.empty() ? "null" : json;
    return *this;
  }
  std::string done() const { return out_ + "}"; }

 private:
  std::string out_ = "{";
};

template <class T, class F>
std::string array_of(const std::vector<T>& values, F&& json) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ",";
    out += json(value);
  }
  return out + "]";
}

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
      .text("state", view.arrival.state == ArrivalState::deleted ? "deleted" : "standby")
      .raw("standby", view.standby ? standby.done() : "null")
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

std::string standby_json(const StandbyView& view) {
  return standby_members(view.item)
      .text("original", view.item.original)
      .flag("original_is_base64", view.item.original_is_base64)
      .raw("properties", view.item.properties)
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
                                     .done();
  return Object{}
      .number("accepted", balance.accepted)
      .number("opened", balance.opened)
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
      .raw("deliveries", array_of(trace.deliveries, delivery_json))
      .raw("external_tickets", array_of(trace.externals, external_ticket_json))
      .raw("standby", array_of(trace.standby, [](const StandbyRow& item) { return standby_json(item); }))
      .raw("history", array_of(trace.history, history_json))
      .done();
}

std::string data_json(std::string_view object) { return fmt::format("{{\"data\":{}}}", object); }

}  // namespace postroom::store
