#include <algorithm>

#include "common/store/reading_sqlite.hpp"

namespace postroom::store {

namespace {

// All columns but the original, which may be a megabyte and is shown for one item only.
const std::string& list_columns() {
  static const std::string text = [] {
    std::string all = columns<StandbyRow>();
    const std::string name = "original,";
    all.replace(all.find(name), name.size(), "'' AS original,");
    return all;
  }();
  return text;
}

std::string conditions(const messages::StandbyFilter& filter, std::vector<Value>& values) {
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

}  // namespace

Result<Page<StandbyRow>> SqlReading::standby(const StandbyQuery& query, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const Cursor after = bounds->after.value_or(Cursor{INT64_MIN, ""});
  std::vector<StandbyRow> rows;
  // State by state, because the index leads with it; the pages are merged here.
  for (const auto state : query.states) {
    std::vector<Value> values{messages::name_of(state), after.number, std::string_view{after.text}, bounds->limit + 1};
    const std::string where = conditions(query.filter, values);
    const std::string sql = fmt::format("SELECT {} FROM standby WHERE state = ?1 AND (first_at, id) > (?2, ?3){} ORDER BY first_at, id LIMIT ?4",
                                        list_columns(), where);
    auto asked = database_->query(sql, values, [&](const Row& row) { rows.push_back(row_from<StandbyRow>(row)); });
    if (!asked) return asked.error();
  }
  std::ranges::sort(rows, {}, [](const StandbyRow& row) { return std::pair{row.first_at, row.id}; });
  return paged(std::move(rows), bounds->limit, [](const StandbyRow& row) { return Cursor{row.first_at, row.id}; });
}

Result<std::optional<StandbyView>> SqlReading::standby_item(std::string_view id) {
  auto item = select_one<StandbyRow>(*database_, "WHERE id = ?1", {id});
  if (!item) return item.error();
  if (!*item) return std::optional<StandbyView>{};
  auto history = select<HistoryRow>(*database_, "WHERE standby_id = ?1 ORDER BY at, seq LIMIT 1000", {id});
  if (!history) return history.error();
  StandbyView view{std::move(**item), std::move(*history), {}};
  if (view.item.kind == messages::StandbyKind::arrival) {
    auto mail = select_one<MailRow>(*database_, "WHERE arrival_id = ?1", {view.item.subject_id});
    if (!mail) return mail.error();
    view.mail = std::move(*mail);
  }
  return std::optional<StandbyView>{std::move(view)};
}

Result<StandbyFace> SqlReading::standby_face(const StandbyRow& item) {
  StandbyFace face;
  const auto look = [&](std::string_view sql, std::string_view id) {
    return database_->query(sql, {id}, [&](const Row& row) { face = {row.text(0), row.text(1)}; });
  };
  // A delivery is about its ticket. Whatever else there is about a mail carries the id of its arrival.
  if (item.kind != messages::StandbyKind::delivery) {
    if (auto asked = look("SELECT sender_address, subject FROM mails WHERE arrival_id = ?1", item.correlation_id); !asked) return asked.error();
  }
  if (face.from.empty() && face.title.empty() && item.ticket_id) {
    if (auto asked = look("SELECT COALESCE(creator_email, ''), title FROM tickets WHERE id = ?1", *item.ticket_id); !asked) return asked.error();
  }
  return face;
}

}  // namespace postroom::store
