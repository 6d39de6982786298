#include <algorithm>
#include <array>
#include <charconv>

#include "common/store/reading_sqlite.hpp"

namespace postroom::store {

namespace {

// All that mails.verdict can be: the index of lists leads with it.
constexpr std::array<std::string_view, 9> verdicts{"", "ticket", "reply", "duplicate", "bounce", "own", "standby", "unparsable", "deleted"};

Error not_of_this_list() { return Error{Code::bad_message, "is not a cursor of this list: use page.next of the answer before", "/cursor"}; }

struct MailPlace {
  std::int64_t uid_validity = INT64_MAX;
  std::int64_t uid = INT64_MAX;
};

Cursor by_uid(const MailRow& mail) { return Cursor{mail.uid_validity, std::to_string(mail.uid)}; }
Cursor by_time(const MailRow& mail) { return Cursor{mail.received_at, mail.arrival_id}; }

std::optional<MailPlace> place_of(const Cursor& cursor) {
  MailPlace place{cursor.number, 0};
  const char* const end = cursor.text.data() + cursor.text.size();
  const auto read = std::from_chars(cursor.text.data(), end, place.uid);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return place;
}

std::int64_t& count_of(InboxReport& report, std::string_view verdict, std::string_view state) {
  if (verdict == "ticket" || state == "opened") return report.ticket;
  if (verdict == "reply" || state == "reply") return report.reply;
  if (verdict == "duplicate" || state == "duplicate") return report.duplicate;
  if (verdict == "bounce" || state == "bounce") return report.bounce;
  if (verdict == "own" || state == "own") return report.own;
  if (state == "standby") return report.standby;
  if (verdict == "deleted" || state == "deleted") return report.deleted;
  return report.pending;
}

}  // namespace

Result<std::optional<MailInboxRow>> SqlReading::inbox(std::string_view id) { return select_one<MailInboxRow>(*database_, "WHERE id = ?1", {id}); }

Result<Page<MailInboxRow>> SqlReading::inboxes(const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const std::string after = bounds->after ? bounds->after->text : "";
  auto rows = select<MailInboxRow>(*database_, "WHERE name > ?1 ORDER BY name LIMIT ?2", {after, bounds->limit + 1});
  if (!rows) return rows.error();
  return paged(std::move(*rows), bounds->limit, [](const MailInboxRow& row) { return Cursor{0, row.name}; });
}

Result<std::optional<InboxReport>> SqlReading::inbox_report(std::string_view id) {
  auto row = inbox(id);
  if (!row) return row.error();
  if (!*row) return std::optional<InboxReport>{};
  InboxReport report;
  report.inbox = std::move(**row);
  const std::int64_t validity = report.inbox.uid_validity;
  // What was decided for good is counted in the index alone; the state of the few others stands in their arrivals.
  for (const auto verdict : verdicts) {
    const bool may_change = verdict.empty() || verdict == "standby" || verdict == "unparsable";
    const std::string_view sql =
        may_change ? "SELECT a.state, COUNT(*) FROM mails m JOIN arrivals a ON a.id = m.arrival_id WHERE m.inbox_id = ?1 AND m.verdict = ?2 AND "
                     "m.uid_validity = ?3 GROUP BY a.state"
                   : "SELECT '', COUNT(*) FROM mails WHERE inbox_id = ?1 AND verdict = ?2 AND uid_validity = ?3";
    auto asked = database_->query(sql, {id, verdict, validity}, [&](const Row& counted) {
      const std::string state = counted.text(0);
      count_of(report, may_change ? std::string_view{} : verdict, state) += counted.integer(1);
    });
    if (!asked) return asked.error();
  }
  auto asked = database_->query("SELECT COUNT(*) FROM inbox_chores WHERE inbox_id = ?1 AND state = 'done' AND verb IN ('move', 'delete') AND uid_validity = ?2",
                                {id, validity}, [&](const Row& counted) { report.removed = counted.integer(0); });
  if (!asked) return asked.error();
  return std::optional<InboxReport>{std::move(report)};
}

Result<SettingsRow> SqlReading::settings() {
  auto row = select_one<SettingsRow>(*database_, "WHERE id = 1", {});
  if (!row) return row.error();
  if (!*row) return Error{Code::io, "the row of settings is gone"};
  return std::move(**row);
}

Result<std::optional<ArrivalView>> SqlReading::whole(std::optional<ArrivalRow> arrival) {
  if (!arrival) return std::optional<ArrivalView>{};
  ArrivalView view;
  view.arrival = std::move(*arrival);
  if (view.arrival.standby_id) {
    auto item = select_one<StandbyRow>(*database_, "WHERE id = ?1", {*view.arrival.standby_id});
    if (!item) return item.error();
    view.standby = std::move(*item);
  }
  if (view.arrival.kind == "mail") {
    auto mail = select_one<MailRow>(*database_, "WHERE arrival_id = ?1", {view.arrival.id});
    if (!mail) return mail.error();
    view.mail = std::move(*mail);
  }
  return std::optional<ArrivalView>{std::move(view)};
}

Result<std::optional<ArrivalView>> SqlReading::arrival(std::string_view id) {
  auto row = select_one<ArrivalRow>(*database_, "WHERE id = ?1", {id});
  if (!row) return row.error();
  return whole(std::move(*row));
}

Result<Page<ArrivalView>> SqlReading::mail_arrivals(const ArrivalFilter& filter, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  if (filter.inbox_id) {
    const auto place = bounds->after ? place_of(*bounds->after) : MailPlace{};
    if (!place) return not_of_this_list();
    std::vector<Value> values{std::string_view{*filter.inbox_id}, place->uid_validity, place->uid, bounds->limit + 1};
    if (filter.verdict) values.emplace_back(std::string_view{*filter.verdict});
    auto mails = select<MailRow>(*database_,
                                 fmt::format("WHERE inbox_id = ?1 AND (uid_validity, uid) < (?2, ?3){} ORDER BY uid_validity DESC, uid DESC LIMIT ?4",
                                             filter.verdict ? " AND verdict = ?5" : ""),
                                 values);
    if (!mails) return mails.error();
    return arrivals_of(std::move(*mails), bounds->limit, by_uid);
  }
  const Cursor after = bounds->after.value_or(Cursor{INT64_MAX, ""});
  std::vector<MailRow> mails;
  for (const auto verdict : verdicts) {
    if (filter.verdict && *filter.verdict != verdict) continue;
    auto some = select<MailRow>(*database_, "WHERE verdict = ?1 AND (received_at, arrival_id) < (?2, ?3) ORDER BY received_at DESC, arrival_id DESC LIMIT ?4",
                                {verdict, after.number, std::string_view{after.text}, bounds->limit + 1});
    if (!some) return some.error();
    mails.insert(mails.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  std::ranges::sort(mails, std::ranges::greater{}, [](const MailRow& mail) { return std::pair{mail.received_at, std::string_view{mail.arrival_id}}; });
  return arrivals_of(std::move(mails), bounds->limit, by_time);
}

Result<Page<ArrivalView>> SqlReading::arrivals_of(std::vector<MailRow> mails, std::int64_t limit, Cursor (*cursor_of)(const MailRow&)) {
  auto cut = paged(std::move(mails), limit, cursor_of);
  Page<ArrivalView> out;
  out.next = std::move(cut.next);
  for (auto& mail : cut.items) {
    auto row = select_one<ArrivalRow>(*database_, "WHERE id = ?1", {mail.arrival_id});
    if (!row) return row.error();
    ArrivalView view;
    if (*row) view.arrival = std::move(**row);
    view.mail = std::move(mail);
    out.items.push_back(std::move(view));
  }
  return out;
}

Result<Page<CommentRow>> SqlReading::comments(std::string_view ticket_id, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const Cursor after = bounds->after.value_or(Cursor{INT64_MIN, ""});
  auto rows = select<CommentRow>(*database_, "WHERE ticket_id = ?1 AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4",
                                 {ticket_id, after.number, std::string_view{after.text}, bounds->limit + 1});
  if (!rows) return rows.error();
  return paged(std::move(*rows), bounds->limit, [](const CommentRow& row) { return Cursor{row.created_at, row.id}; });
}

Result<Page<AttachmentRow>> SqlReading::attachments(std::string_view ticket_id, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const Cursor after = bounds->after.value_or(Cursor{INT64_MIN, ""});
  auto rows = select<AttachmentRow>(*database_, "WHERE ticket_id = ?1 AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4",
                                    {ticket_id, after.number, std::string_view{after.text}, bounds->limit + 1});
  if (!rows) return rows.error();
  return paged(std::move(*rows), bounds->limit, [](const AttachmentRow& row) { return Cursor{row.created_at, row.id}; });
}

Result<std::optional<AttachmentRow>> SqlReading::attachment(std::string_view id) { return select_one<AttachmentRow>(*database_, "WHERE id = ?1", {id}); }

Result<Page<NoticeView>> SqlReading::notices(std::string_view ticket_id, const PageRequest& page) {
  const auto bounds = bounds_of(page);
  if (!bounds) return bounds.error();
  const Cursor after = bounds->after.value_or(Cursor{INT64_MIN, ""});
  auto rows = select<DeliveryRow>(*database_, "WHERE ticket_id = ?1 AND kind = 'mail' AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4",
                                  {ticket_id, after.number, std::string_view{after.text}, bounds->limit + 1});
  if (!rows) return rows.error();
  auto cut = paged(std::move(*rows), bounds->limit, [](const DeliveryRow& row) { return Cursor{row.created_at, row.id}; });
  Page<NoticeView> out;
  out.next = std::move(cut.next);
  for (auto& delivery : cut.items) {
    // Our Message-IDs begin with ticket and delivery.
    const std::string first = fmt::format("{}.{}.", delivery.ticket_id, delivery.id), beyond = fmt::format("{}.{}/", delivery.ticket_id, delivery.id);
    NoticeView view;
    auto asked = database_->query("SELECT message_id FROM mail_threads WHERE message_id > ?1 AND message_id < ?2 LIMIT 1",
                                  {std::string_view{first}, std::string_view{beyond}}, [&](const Row& row) { view.message_id = row.text(0); });
    if (!asked) return asked.error();
    view.delivery = std::move(delivery);
    out.items.push_back(std::move(view));
  }
  return out;
}

}  // namespace postroom::store
