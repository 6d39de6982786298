#include "common/store/reading_sqlite.hpp"

#include <algorithm>

namespace postroom::store {

Result<std::unique_ptr<Reading>> open_reading(const std::filesystem::path& database, std::chrono::milliseconds longest) {
  auto opened = open_sqlite_reader(database.string(), longest);
  if (!opened) return opened.error();
  return std::unique_ptr<Reading>{std::make_unique<SqlReading>(std::move(*opened))};
}

Result<Bounds> bounds_of(const PageRequest& page) {
  Bounds bounds;
  bounds.limit = std::clamp<std::int64_t>(page.limit, 1, 200);
  if (page.cursor.empty()) return bounds;
  bounds.after = cursor_from(page.cursor);
  if (!bounds.after) return Error{Code::bad_message, "is not a cursor of this list: use page.next of the answer before", "/cursor"};
  return bounds;
}

Result<std::string> SqlReading::installation_name() {
  std::string name;
  auto asked = database_->query("SELECT value FROM installation WHERE name = 'name'", {}, [&](const Row& row) { name = row.text(0); });
  if (!asked) return asked.error();
  return name;
}

Result<std::optional<BoardRow>> SqlReading::board(std::string_view id) { return select_one<BoardRow>(*database_, "WHERE id = ?1", {id}); }

Result<Page<BoardRow>> SqlReading::boards(const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const std::string after = bounds->after ? bounds->after->text : "";
  auto rows = select<BoardRow>(*database_, "WHERE name > ?1 ORDER BY name LIMIT ?2", {after, bounds->limit + 1});
  if (!rows) return rows.error();
  return paged(std::move(*rows), bounds->limit, [](const BoardRow& row) { return Cursor{0, row.name}; });
}

Result<std::optional<ConnectionRow>> SqlReading::connection(std::string_view id) {
  return select_one<ConnectionRow>(*database_, "WHERE id = ?1", {id});
}

Result<Page<ConnectionRow>> SqlReading::connections(const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const std::string after = bounds->after ? bounds->after->text : "";
  auto rows = select<ConnectionRow>(*database_, "WHERE name > ?1 ORDER BY name LIMIT ?2", {after, bounds->limit + 1});
  if (!rows) return rows.error();
  return paged(std::move(*rows), bounds->limit, [](const ConnectionRow& row) { return Cursor{0, row.name}; });
}

Result<TicketView> SqlReading::with_far_side(TicketRow ticket) {
  TicketView view;
  auto delivery = select_one<DeliveryRow>(*database_, "WHERE ticket_id = ?1 AND kind <> 'mail' ORDER BY created_at DESC LIMIT 1", {ticket.id});
  if (!delivery) return delivery.error();
  auto external = select_one<ExternalTicketRow>(*database_, "WHERE ticket_id = ?1 AND state = 'linked' ORDER BY created_at DESC LIMIT 1", {ticket.id});
  if (!external) return external.error();
  view.delivery = std::move(*delivery);
  view.external = std::move(*external);
  view.ticket = std::move(ticket);
  return view;
}

Result<std::optional<TicketView>> SqlReading::ticket(std::string_view id) {
  auto row = select_one<TicketRow>(*database_, "WHERE id = ?1", {id});
  if (!row) return row.error();
  if (!*row) return std::optional<TicketView>{};
  auto view = with_far_side(std::move(**row));
  if (!view) return view.error();
  return std::optional<TicketView>{std::move(*view)};
}

Result<Page<TicketView>> SqlReading::tickets(const TicketFilter& filter, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  std::string where = "WHERE number < ?1";
  std::vector<Value> values{bounds->after ? bounds->after->number : std::int64_t{INT64_MAX}, bounds->limit + 1};
  if (filter.board_id) {
    values.emplace_back(std::string_view{*filter.board_id});
    where += fmt::format(" AND board_id = ?{}", values.size());
  }
  if (filter.state) {
    values.emplace_back(messages::name_of(*filter.state));
    // With both, the board's index leads; its tickets are filtered by state.
    where += fmt::format(" AND {}state = ?{}", filter.board_id ? "+" : "", values.size());
  }
  auto rows = select<TicketRow>(*database_, where + " ORDER BY number DESC LIMIT ?2", values);
  if (!rows) return rows.error();
  auto cut = paged(std::move(*rows), bounds->limit, [](const TicketRow& row) { return Cursor{row.number, ""}; });
  Page<TicketView> out;
  out.next = std::move(cut.next);
  for (auto& row : cut.items) {
    auto view = with_far_side(std::move(row));
    if (!view) return view.error();
    out.items.push_back(std::move(*view));
  }
  return out;
}

Result<std::optional<ArrivalView>> SqlReading::arrival_by_ticket(std::string_view ticket_id) {
  auto arrival = select_one<ArrivalRow>(*database_, "WHERE ticket_id = ?1 ORDER BY accepted_at DESC LIMIT 1", {ticket_id});
  if (!arrival) return arrival.error();
  return whole(std::move(*arrival));
}

Result<std::vector<HistoryRow>> SqlReading::timeline(std::string_view id, std::int64_t limit) {
  auto entries = select<HistoryRow>(*database_, "WHERE ticket_id = ?1 ORDER BY at, seq LIMIT ?2", {id, limit});
  if (!entries || !entries->empty()) return entries;
  return select<HistoryRow>(*database_, "WHERE correlation_id = ?1 ORDER BY at, seq LIMIT ?2", {id, limit});
}

Result<Page<ExternalTicketRow>> SqlReading::external_tickets(std::string_view board_id, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const Cursor after = bounds->after.value_or(Cursor{INT64_MAX, ""});
  auto rows = select<ExternalTicketRow>(*database_, "WHERE board_id = ?1 AND (created_at, id) < (?2, ?3) ORDER BY created_at DESC, id DESC LIMIT ?4",
                                        {board_id, after.number, after.text, bounds->limit + 1});
  if (!rows) return rows.error();
  return paged(std::move(*rows), bounds->limit, [](const ExternalTicketRow& row) { return Cursor{row.created_at, row.id}; });
}

Result<std::optional<ExternalTicketRow>> SqlReading::external_ticket(std::string_view id) {
  return select_one<ExternalTicketRow>(*database_, "WHERE id = ?1", {id});
}

Result<std::optional<InboxRow>> SqlReading::command(std::string_view id) {
  return select_one<InboxRow>(*database_, "WHERE message_id = ?1 ORDER BY retry DESC LIMIT 1", {id});
}

namespace {

void count_arrivals(Balance& balance, std::string_view state, std::int64_t count) {
  if (state == "opened") balance.opened = count;
  if (state == "standby") balance.standby = count;
  if (state == "deleted") balance.deleted = count;
  if (state == "received") balance.received = count;
  if (state == "reply") balance.reply = count;
  if (state == "duplicate") balance.duplicate = count;
  if (state == "bounce") balance.bounce = count;
  if (state == "own") balance.own = count;
}

void count_deliveries(Balance& balance, const std::string& kind, std::string_view state, std::int64_t count, std::int64_t assumed) {
  auto found = std::ranges::find(balance.by_kind, kind, &Balance::Deliveries::kind);
  if (found == balance.by_kind.end()) found = balance.by_kind.insert(found, Balance::Deliveries{.kind = kind});
  auto& of_kind = *found;
  const auto add = [&](std::string_view name, std::int64_t& all, std::int64_t& some) {
    if (state != name) return;
    all += count;
    some += count;
  };
  add("waiting", balance.waiting, of_kind.waiting);
  add("dispatched", balance.dispatched, of_kind.dispatched);
  add("claimed", balance.claimed, of_kind.claimed);
  add("standby", balance.deliveries_standby, of_kind.standby);
  add("done", balance.done, of_kind.done);
  add("cancelled", balance.cancelled, of_kind.cancelled);
  of_kind.assumed_sent += assumed;
}

}  // namespace

Result<Balance> SqlReading::balance() {
  Balance balance;
  // One statement, so that all counts are of one moment.
  auto asked = database_->query(
      "SELECT 'accepted', '', '', value, 0 FROM counters WHERE name = 'arrivals_accepted' "
      "UNION ALL SELECT 'arrival', '', state, COUNT(*), 0 FROM arrivals GROUP BY state "
      "UNION ALL SELECT 'delivery', kind, state, COUNT(*), SUM(CASE reason_class WHEN 'assumed_sent' THEN 1 ELSE 0 END) FROM deliveries "
      "GROUP BY kind, state",
      {}, [&](const Row& row) {
        const std::string what = row.text(0), state = row.text(2);
        const std::int64_t count = row.integer(3);
        if (what == "accepted") balance.accepted = count;
        if (what == "arrival") count_arrivals(balance, state, count);
        if (what == "delivery") count_deliveries(balance, row.text(1), state, count, state == "done" ? row.integer(4) : 0);
      });
  if (!asked) return asked.error();
  return balance;
}

}  // namespace postroom::store
