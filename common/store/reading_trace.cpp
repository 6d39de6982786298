#include <algorithm>

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
    {"comment", "SELECT t.correlation_id FROM comments c JOIN tickets t ON t.id = c.ticket_id WHERE c.id = ?1"},
    {"attachment", "SELECT t.correlation_id FROM attachments a JOIN tickets t ON t.id = a.ticket_id WHERE a.id = ?1"},
    {"standby", "SELECT correlation_id FROM standby WHERE id = ?1"},
    {"arrival", "SELECT correlation_id FROM arrivals WHERE id = ?1"},
    {"arrival", "SELECT correlation_id FROM arrivals WHERE ticket_id = ?1 LIMIT 1"},
    {"correlation", "SELECT correlation_id FROM history WHERE correlation_id = ?1 LIMIT 1"},
    {"command", "SELECT message_id FROM inbox WHERE message_id = ?1 LIMIT 1"},
};

constexpr std::int64_t most_same_ids = 50;

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

  return followed(std::move(trace));
}

Result<std::optional<Trace>> SqlReading::trace_message(std::string_view message_id) {
  // Senders use a Message-ID again, servers bring a mail twice, and answers to a mail of ours can come under its name.
  std::vector<std::string> correlations, tickets;
  const auto add = [&](const Row& row) {
    correlations.push_back(row.text(0));
    tickets.push_back(row.text(1));
  };
  auto incoming = database_->query("SELECT a.correlation_id, COALESCE(m.ticket_id, '') FROM mails m JOIN arrivals a ON a.id = m.arrival_id WHERE m.message_id = ?1 "
                                   "ORDER BY a.accepted_at, a.id LIMIT ?2",
                                   {message_id, most_same_ids}, add);
  if (!incoming) return incoming.error();
  auto known = database_->query("SELECT t.correlation_id, t.id FROM mail_threads m JOIN tickets t ON t.id = m.ticket_id WHERE m.message_id = ?1 ORDER BY m.at, t.id LIMIT ?2",
                                {message_id, most_same_ids}, add);
  if (!known) return known.error();
  std::vector<Trace> all;
  for (std::size_t n = 0; n < correlations.size() && std::ssize(all) < most_same_ids; ++n) {
    const auto told = std::ranges::find_if(all, [&](const Trace& trace) {
      return trace.correlation_id == correlations[n] || std::ranges::any_of(trace.tickets, [&](const TicketRow& ticket) { return ticket.id == tickets[n]; });
    });
    if (told != all.end()) {
      if (auto added = add_mail(*told, correlations[n]); !added) return added.error();
      continue;
    }
    Trace trace;
    trace.asked = "message";
    trace.correlation_id = correlations[n];
    auto whole = followed(std::move(trace));
    if (!whole) return whole.error();
    all.push_back(std::move(**whole));
  }
  if (all.empty()) return std::optional<Trace>{};
  Trace first = std::move(all.front());
  first.others.assign(std::make_move_iterator(all.begin() + 1), std::make_move_iterator(all.end()));
  return std::optional<Trace>{std::move(first)};
}

// Another mail of a ticket that is told already: a duplicate of its first.
Result<void> SqlReading::add_mail(Trace& trace, const std::string& arrival_id) {
  if (std::ranges::any_of(trace.mails, [&](const MailRow& mail) { return mail.arrival_id == arrival_id; })) return {};
  auto mail = select_one<MailRow>(*database_, "WHERE arrival_id = ?1", {arrival_id});
  if (!mail) return mail.error();
  if (*mail) trace.mails.push_back(std::move(**mail));
  return {};
}

Result<std::optional<Trace>> SqlReading::followed(Trace trace) {
  // An arrival's id is the correlation id; its ticket leads to all the rest by index.
  auto arrival = select_one<ArrivalRow>(*database_, "WHERE id = ?1", {trace.correlation_id});
  if (!arrival) return arrival.error();
  trace.arrival = std::move(*arrival);
  auto poison = select<StandbyRow>(*database_, "WHERE subject_id = ?1 ORDER BY first_at, id", {trace.correlation_id});
  if (!poison) return poison.error();
  trace.standby = std::move(*poison);
  std::string ticket_id;
  if (trace.arrival) {
    ticket_id = trace.arrival->ticket_id;
    auto mail = select_one<MailRow>(*database_, "WHERE arrival_id = ?1", {trace.arrival->id});
    if (!mail) return mail.error();
    // A reply or a duplicate belongs to another ticket than the one that was promised for it.
    if (*mail && (*mail)->ticket_id) ticket_id = *(*mail)->ticket_id;
    if (*mail) trace.mails.push_back(std::move(**mail));
    if (auto read = read_ticket(trace, ticket_id); !read) return read.error();
  }
  if (auto read = read_history(trace, ticket_id); !read) return read.error();
  return std::optional<Trace>{std::move(trace)};
}

Result<void> SqlReading::read_ticket(Trace& trace, const std::string& ticket_id) {
  auto tickets = select<TicketRow>(*database_, "WHERE id = ?1", {ticket_id});
  if (!tickets) return tickets.error();
  auto deliveries = select<DeliveryRow>(*database_, "WHERE ticket_id = ?1 ORDER BY created_at, id LIMIT 1000", {ticket_id});
  if (!deliveries) return deliveries.error();
  auto externals = select<ExternalTicketRow>(*database_, "WHERE ticket_id = ?1 ORDER BY created_at", {ticket_id});
  if (!externals) return externals.error();
  for (const auto& delivery : *deliveries) {
    auto items = select<StandbyRow>(*database_, "WHERE subject_id = ?1 ORDER BY first_at, id", {delivery.id});
    if (!items) return items.error();
    trace.standby.insert(trace.standby.end(), std::make_move_iterator(items->begin()), std::make_move_iterator(items->end()));
  }
  std::vector<std::string> others;  // arrivals that are comments on the ticket, and the one that opened it
  auto asked = database_->query("SELECT arrival_id FROM tickets WHERE id = ?1 UNION ALL SELECT arrival_id FROM (SELECT arrival_id FROM comments WHERE "
                                "ticket_id = ?1 AND arrival_id IS NOT NULL ORDER BY created_at, id LIMIT 200) AS replies",
                                {ticket_id}, [&](const Row& row) { others.push_back(row.text(0)); });
  if (!asked) return asked;
  for (const auto& id : others) {
    if (id == trace.correlation_id) continue;
    auto mail = select_one<MailRow>(*database_, "WHERE arrival_id = ?1", {id});
    if (!mail) return mail.error();
    if (*mail) trace.mails.push_back(std::move(**mail));
  }
  trace.tickets = std::move(*tickets);
  trace.deliveries = std::move(*deliveries);
  trace.externals = std::move(*externals);
  return {};
}

// What was noted under the correlation id, and on the ticket: replies have correlation ids of their own.
Result<void> SqlReading::read_history(Trace& trace, const std::string& ticket_id) {
  auto history = select<HistoryRow>(*database_, "WHERE correlation_id = ?1 ORDER BY at, seq LIMIT 1000", {trace.correlation_id});
  if (!history) return history.error();
  trace.history = std::move(*history);
  if (trace.tickets.empty()) return {};
  auto of_ticket = select<HistoryRow>(*database_, "WHERE ticket_id = ?1 ORDER BY at, seq LIMIT 1000", {ticket_id});
  if (!of_ticket) return of_ticket.error();
  for (auto& entry : *of_ticket) {
    if (entry.correlation_id != trace.correlation_id) trace.history.push_back(std::move(entry));
  }
  std::ranges::sort(trace.history, {}, [](const HistoryRow& entry) { return std::pair{entry.at, entry.seq}; });
  if (trace.history.size() > 1'000) trace.history.resize(1'000);
  return {};
}

}  // namespace postroom::store
