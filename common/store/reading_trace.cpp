#include "common/store/reading_sqlite.hpp"

namespace postroom::store {

namespace {

struct Origin {
  std::string_view asked;
  std::string_view sql;  // gives the correlation id of ?1
};

// In the order in which an id is looked for; ids are unique over all of them, but a command's id is also its arrival's and its correlation id.
constexpr Origin origins[] = {
    {"ticket", "SELECT correlation_id FROM tickets WHERE id = ?1"},
    {"delivery", "SELECT t.correlation_id FROM deliveries d JOIN tickets t ON t.id = d.ticket_id WHERE d.id = ?1"},
    {"external_ticket", "SELECT t.correlation_id FROM external_tickets e JOIN tickets t ON t.id = e.ticket_id WHERE e.id = ?1"},
    {"standby", "SELECT correlation_id FROM standby WHERE id = ?1"},
    {"arrival", "SELECT correlation_id FROM arrivals WHERE id = ?1"},
    {"arrival", "SELECT correlation_id FROM arrivals WHERE ticket_id = ?1 LIMIT 1"},
    {"correlation", "SELECT correlation_id FROM history WHERE correlation_id = ?1 LIMIT 1"},
    {"command", "SELECT message_id FROM inbox WHERE message_id = ?1 LIMIT 1"},
};

}  // namespace

Result<std::optional<Trace>> SqlReading::trace(std::string_view any_id) {
  Trace trace;
  bool is_known = false;
  for (const auto& origin : origins) {
    auto asked = database_->query(origin.sql, {any_id}, [&](const Row& row) {
      trace.correlation_id = row.text(0);
      is_known = true;
    });
    if (!asked) return asked.error();
    if (!is_known) continue;
    trace.asked = origin.asked;
    break;
  }
  if (!is_known) return std::optional<Trace>{};

  auto history = select<HistoryRow>(*database_, "WHERE correlation_id = ?1 ORDER BY at, seq LIMIT 1000", {trace.correlation_id});
  if (!history) return history.error();
  trace.history = std::move(*history);
  // An arrival's id is the correlation id; its promised ticket leads to all the rest by index.
  auto arrival = select_one<ArrivalRow>(*database_, "WHERE id = ?1", {trace.correlation_id});
  if (!arrival) return arrival.error();
  trace.arrival = std::move(*arrival);
  auto poison = select<StandbyRow>(*database_, "WHERE subject_id = ?1 ORDER BY first_at, id", {trace.correlation_id});
  if (!poison) return poison.error();
  trace.standby = std::move(*poison);
  if (!trace.arrival) return std::optional<Trace>{std::move(trace)};

  const std::string& ticket_id = trace.arrival->ticket_id;
  auto tickets = select<TicketRow>(*database_, "WHERE id = ?1", {ticket_id});
  if (!tickets) return tickets.error();
  auto deliveries = select<DeliveryRow>(*database_, "WHERE ticket_id = ?1 ORDER BY created_at", {ticket_id});
  if (!deliveries) return deliveries.error();
  auto externals = select<ExternalTicketRow>(*database_, "WHERE ticket_id = ?1 ORDER BY created_at", {ticket_id});
  if (!externals) return externals.error();
  for (const auto& delivery : *deliveries) {
    auto items = select<StandbyRow>(*database_, "WHERE subject_id = ?1 ORDER BY first_at, id", {delivery.id});
    if (!items) return items.error();
    trace.standby.insert(trace.standby.end(), std::make_move_iterator(items->begin()), std::make_move_iterator(items->end()));
  }
  trace.tickets = std::move(*tickets);
  trace.deliveries = std::move(*deliveries);
  trace.externals = std::move(*externals);
  return std::optional<Trace>{std::move(trace)};
}

}  // namespace postroom::store
