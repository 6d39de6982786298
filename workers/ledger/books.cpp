#include "workers/ledger/books.hpp"

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/messages/stored.hpp"
#include "common/metrics/metrics.hpp"
#include "common/store/table.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/loading.hpp"

namespace postroom::ledger {

using store::Row;
using store::Value;

namespace {

template <class R>
Result<void> by_id(std::optional<R>& slot, store::Database& database, std::string_view id) {
  return into(slot, database, "WHERE id = ?1", {id});
}

Result<void> number_into(std::int64_t& slot, store::Database& database, std::string_view sql, std::span<const Value> parameters) {
  return database.query(sql, parameters, [&](const Row& row) { slot = row.integer(0); });
}

// Runs the steps until one fails.
template <class... Steps>
Result<void> all_of(Steps&&... steps) {
  Result<void> result;
  (void)((result = steps(), result.ok()) && ...);
  return result;
}

constexpr std::int64_t put_off_time = 60'000'000;  // microseconds

// The count is maintained; a new process makes sure that it is right, for a wrong one would narrow a window for ever.
constexpr std::string_view recount_in_flight =
    "UPDATE destinations SET in_flight = (SELECT COUNT(*) FROM deliveries WHERE deliveries.destination_id = destinations.id "
    "AND deliveries.state IN ('dispatched', 'claimed'))";
constexpr std::string_view board_in_use =
    "SELECT EXISTS (SELECT 1 FROM tickets WHERE board_id = ?1) "
    "OR EXISTS (SELECT 1 FROM standby WHERE state IN ('open', 'assigned', 'retry_pending') AND board_id = ?1) "
    "OR EXISTS (SELECT 1 FROM inboxes WHERE board_id = ?1) OR EXISTS (SELECT 1 FROM settings WHERE default_board_id = ?1)";
constexpr std::string_view connection_in_use =
    "SELECT EXISTS (SELECT 1 FROM boards WHERE connection_id = ?1) OR EXISTS (SELECT 1 FROM deliveries WHERE destination_id = ?1 "
    "AND state IN ('waiting', 'dispatched', 'claimed', 'standby')) OR EXISTS (SELECT 1 FROM inboxes WHERE connection_id = ?1) "
    "OR EXISTS (SELECT 1 FROM inboxes WHERE smtp_connection_id = ?1) OR EXISTS (SELECT 1 FROM settings WHERE smtp_connection_id = ?1)";

constexpr std::string_view arrivals = "arrivals_";  // begin of the counters of what became of them

constexpr std::string_view connection_has_past = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE destination_id = ?1)";

}  // namespace

void Aftermath::take(Aftermath&& other) {
  const auto append = [](auto& to, auto& from) { to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end())); };
  append(outgoing, other.outgoing);
  append(may_drop, other.may_drop);
  append(touched, other.touched);
  append(notices, other.notices);
}

Result<void> Books::open() {
  return all_of([&] { return database_.execute(recount_in_flight, {}); },
                [&] { return number_into(last_event_, database_, "SELECT COALESCE(MAX(seq), 0) FROM events", {}); },
                [&] { return number_into(last_outgoing_, database_, "SELECT COALESCE(MAX(seq), 0) FROM outgoing", {}); });
}

Result<void> Books::load_ticket(const std::string& id, State& state) {
  if (auto loaded = by_id(state.ticket, database_, id); !loaded) return loaded;
  auto externals = store::select<store::ExternalTicketRow>(database_, "WHERE ticket_id = ?1", {id});
  if (!externals) return externals.error();
  state.externals = std::move(*externals);
  return {};
}

Result<void> Books::load_delivery(const Needs& needs, State& state) {
  if (auto loaded = by_id(state.delivery, database_, *needs.delivery_id); !loaded || !state.delivery) return loaded;
  const auto& delivery = *state.delivery;
  auto loaded = all_of([&] { return load_ticket(delivery.ticket_id, state); },
                       [&] { return state.ticket ? by_id(state.board, database_, state.ticket->board_id) : Result<void>{}; },
                       [&] { return by_id(state.connection, database_, delivery.destination_id); },
                       [&] { return by_id(state.destination, database_, delivery.destination_id); },
                       [&] { return delivery.standby_id ? by_id(state.item, database_, *delivery.standby_id) : Result<void>{}; });
  if (!loaded) return loaded;
  std::erase_if(state.externals, [&](const auto& external) { return external.delivery_id != delivery.id; });
  const std::string scope{marker_scope(target_of(delivery, state.board))};
  if (!scope.empty()) {
    loaded = into(state.mark, database_, "WHERE connection_id = ?1 AND scope = ?2", {delivery.destination_id, scope});
    if (!loaded) return loaded;
  }
  if (is_mail(delivery)) return load_mail_delivery(needs, state);
  if (!needs.remote_id) return {};
  return into(state.remote_owner, database_, "WHERE connection_id = ?1 AND remote_id = ?2", {delivery.destination_id, *needs.remote_id});
}

Result<void> Books::load_item(const Needs& needs, State& state) {
  if (auto loaded = by_id(state.item, database_, *needs.standby_id); !loaded || !state.item) return loaded;
  const auto& item = *state.item;
  auto loaded = number_into(state.subject_retries, database_, "SELECT COALESCE(MAX(retry_no), 0) FROM standby WHERE subject_id = ?1",
                            std::initializer_list<Value>{item.subject_id});
  if (!loaded) return loaded;
  if (item.kind == messages::StandbyKind::delivery) {
    Needs of_delivery;
    of_delivery.delivery_id = item.subject_id;
    return load_delivery(of_delivery, state);
  }
  if (auto found = by_id(state.arrival, database_, item.subject_id); !found || !state.arrival) return found;
  Needs of_mail;
  of_mail.mail_id = item.subject_id;
  return load_mail(of_mail, state);
}

Result<void> Books::load_usage(const Needs& needs, State& state) {
  std::int64_t is_used = 0;
  if (needs.board_usage) {
    if (auto asked = number_into(is_used, database_, board_in_use, std::initializer_list<Value>{*needs.board_id}); !asked) return asked;
    state.is_board_used = is_used != 0;
  }
  if (needs.connection_usage) {
    if (auto asked = number_into(is_used, database_, connection_in_use, std::initializer_list<Value>{*needs.connection_id}); !asked) return asked;
    state.is_connection_used = is_used != 0;
  }
  if (needs.connection_past) {
    if (auto asked = number_into(is_used, database_, connection_has_past, std::initializer_list<Value>{*needs.connection_id}); !asked) return asked;
    state.has_connection_past = is_used != 0;
  }
  return {};
}

std::string filter_conditions(const messages::StandbyFilter& filter, std::vector<Value>& values) {
  std::string text;
  const auto add = [&](std::string_view column, Value value) {
    values.push_back(value);
    text += fmt::format(" AND {} = ?{}", column, values.size());
  };
  if (filter.kind) add("kind", messages::name_of(*filter.kind));
  if (filter.worker) add("worker", std::string_view{*filter.worker});
  if (filter.reason_class) add("reason_class", std::string_view{*filter.reason_class});
  if (filter.group_key) add("group_key", std::string_view{*filter.group_key});
  if (filter.board_id) add("board_id", std::string_view{*filter.board_id});
  if (filter.connection_id) add("connection_id", std::string_view{*filter.connection_id});
  return text;
}

Result<void> Books::count_matching(const messages::StandbyFilter& filter, State& state) {
  std::vector<Value> values;
  const std::string conditions = filter_conditions(filter, values);
  return number_into(state.matching_items, database_, "SELECT COUNT(*) FROM standby WHERE state IN ('open', 'assigned')" + conditions, values);
}

Result<State> Books::load(const Needs& needs) {
  State state;
  const auto wish = [](const OptionalId& id, auto&& step) { return id ? step(*id) : Result<void>{}; };
  auto loaded = all_of(
      [&] { return wish(needs.board_id, [&](const auto& id) { return by_id(state.board, database_, id); }); },
      [&] { return wish(needs.board_name, [&](const auto& name) { return into(state.board_named, database_, "WHERE name = ?1", {name}); }); },
      [&] { return wish(needs.connection_id, [&](const auto& id) { return by_id(state.connection, database_, id); }); },
      [&] { return wish(needs.connection_id, [&](const auto& id) { return by_id(state.destination, database_, id); }); },
      [&] { return wish(needs.connection_name, [&](const auto& name) { return into(state.connection_named, database_, "WHERE name = ?1", {name}); }); },
      [&] { return wish(needs.test_id, [&](const auto& id) { return by_id(state.test, database_, id); }); },
      [&] { return wish(needs.test_id, [&](const auto& id) { return into(state.test_command, database_, "WHERE message_id = ?1 ORDER BY retry DESC LIMIT 1", {id}); }); },
      [&] { return needs.standby_id ? load_item(needs, state) : Result<void>{}; },
      [&] { return wish(needs.arrival_id, [&](const auto& id) { return by_id(state.arrival, database_, id); }); },
      [&] {
        const bool has_item = state.arrival && state.arrival->standby_id;
        return has_item ? by_id(state.item, database_, *state.arrival->standby_id) : Result<void>{};
      },
      [&] { return needs.delivery_id ? load_delivery(needs, state) : Result<void>{}; },
      [&] { return wish(needs.ticket_id, [&](const auto& id) { return load_ticket(id, state); }); },
      [&] {
        return wish(needs.ticket_id, [&](const auto& id) {
          return into(state.delivery, database_, "WHERE ticket_id = ?1 AND kind = 'create' ORDER BY created_at DESC LIMIT 1", {id});
        });
      },
      [&] {
        return wish(needs.subject_id, [&](const auto& id) {
          return into(state.pending_item, database_, "WHERE subject_id = ?1 AND state = 'retry_pending' ORDER BY retry_no DESC LIMIT 1", {id});
        });
      },
      [&] { return needs.filter ? count_matching(*needs.filter, state) : Result<void>{}; },
      [&] {
        return needs.ticket_number ? number_into(state.last_ticket_number, database_, "SELECT value FROM counters WHERE name = 'ticket_number'", {})
                                   : Result<void>{};
      },
      [&] { return load_usage(needs, state); }, [&] { return load_doors(needs, state); }, [&] { return load_mailboxes(needs, state); });
  if (!loaded) return loaded.error();
  return state;
}

Result<void> Books::write_change(const Change& change) {
  forget(change);
  const auto& leading = change.kind == Change::Kind::remove ? change.before : change.after;
  return std::visit(
      [&](const auto& row) -> Result<void> {
        using R = std::decay_t<decltype(row)>;
        switch (change.kind) {
          case Change::Kind::insert: return store::insert(database_, row);
          case Change::Kind::insert_missing: return store::insert_missing(database_, row);
          case Change::Kind::update: return store::update(database_, std::get<R>(change.before), row);
          case Change::Kind::remove:
            if constexpr (std::is_same_v<R, store::MailInboxRow>) {
              if (auto emptied = forget_mailbox(row.id); !emptied) return emptied;
            }
            return store::remove(database_, row);
        }
        return {};
      },
      leading);
}

Result<Aftermath> Books::write(Decision decision, Context& context) {
  for (const auto& change : decision.changes) {
    if (auto written = write_change(change); !written) return written.error();
  }
  for (const auto& [name, by] : decision.counted) {
    if (by > 0 && name.starts_with(arrivals)) metrics::counter("ledger_arrivals", {{"state", name.substr(arrivals.size())}}).add();
    auto counted = database_.execute(
        "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value", {name, by});
    if (!counted) return counted.error();
  }
  Aftermath after;
  for (auto& event : decision.events) {
    store::EventRow row{++last_event_, event.type, context.now, event.board_id, event.body};
    if (auto written = store::insert(database_, row); !written) return written.error();
    MayDrop out;
    out.exchange = broker::names::event;
    out.routing_key = event.type;
    out.envelope.message_id = context.ids.next();
    out.envelope.type = std::move(event.type);
    out.envelope.timestamp = from_micros(context.now);
    out.body = std::move(event.body);
    after.may_drop.push_back(std::move(out));
  }
  for (auto& message : decision.must_arrive) {
    store::OutgoingRow row;
    row.seq = ++last_outgoing_;
    row.exchange = std::move(message.exchange);
    row.routing_key = std::move(message.routing_key);
    row.envelope = codec::encode(messages::stored(message.envelope));
    row.body = std::move(message.body);
    if (auto written = saboteur("outgoing_row_dropped") ? Result<void>{} : store::insert(database_, row); !written) return written.error();
    after.outgoing.push_back(std::move(row));
  }
  after.take({{}, std::move(decision.may_drop), std::move(decision.touched), std::move(decision.notices)});
  return after;
}

Result<Aftermath> Books::decide_row(std::string_view table, std::string_view key, const std::string& id, const Needs& needs, Context& context,
                                    const std::function<Decision(const State&)>& decide) {
  if (auto begun = database_.savepoint(); !begun) return begun.error();
  auto state = load(needs);
  auto after = state ? write(decide(*state), context) : Result<Aftermath>{state.error()};
  if (after) {
    auto released = database_.release_savepoint();
    return released ? std::move(after) : released.error();
  }
  if (is_machine_error(after.error())) return after;
  if (auto undone = database_.rollback_to_savepoint(); !undone) return undone.error();
  const std::int64_t later = context.now + put_off_time;
  if (auto put_off = database_.execute(fmt::format("UPDATE {} SET due_at = ?1 WHERE {} = ?2", table, key), {later, id}); !put_off) return put_off.error();
  Aftermath alarm;
  alarm.notices.push_back({true, fmt::format("{} of {} cannot be decided: {}", id, table, after.error().text()), state && state->ticket ? state->ticket->correlation_id : "", {}});
  return alarm;
}

Result<Aftermath> Books::decide_delivery(const std::string& id, Context& context, const std::function<Decision(const State&)>& decide) {
  Needs needs;
  needs.delivery_id = id;
  needs.now = context.now;
  return decide_row("deliveries", "id", id, needs, context, decide);
}

Result<Aftermath> Books::decide_inbox(const std::string& id, Context& context, const std::function<Decision(const State&)>& decide) {
  Needs needs;
  needs.inbox_id = id;
  needs.lease = true;
  needs.now = context.now;
  return decide_row("inboxes", "id", id, needs, context, decide);
}

Result<Aftermath> Books::decide_mail(const std::string& id, Context& context, const std::function<Decision(const State&)>& decide) {
  Needs needs;
  needs.arrival_id = needs.mail_id = id;
  needs.own_addresses = true;
  return decide_row("mails", "arrival_id", id, needs, context, decide);
}

}  // namespace postroom::ledger
