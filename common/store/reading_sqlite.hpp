#pragma once
// Reading over a Database port: shared by its source files only.

#include <memory>

#include "common/store/cursor.hpp"
#include "common/store/database.hpp"
#include "common/store/reading.hpp"
#include "common/store/table.hpp"

namespace postroom::store {

class SqlReading final : public Reading {
 public:
  explicit SqlReading(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::string> installation_name() override;
  Result<std::optional<BoardRow>> board(std::string_view id) override;
  Result<Page<BoardRow>> boards(const PageRequest& page) override;
  Result<std::optional<ConnectionRow>> connection(std::string_view id) override;
  Result<Page<ConnectionRow>> connections(const PageRequest& page) override;
  Result<std::optional<TicketView>> ticket(std::string_view id) override;
  Result<Page<TicketView>> tickets(const TicketFilter& filter, const PageRequest& page) override;
  Result<std::optional<ArrivalView>> arrival_by_ticket(std::string_view ticket_id) override;
  Result<std::vector<HistoryRow>> timeline(std::string_view id, std::int64_t limit) override;
  Result<Page<ExternalTicketRow>> external_tickets(std::string_view board_id, const PageRequest& page) override;
  Result<std::optional<ExternalTicketRow>> external_ticket(std::string_view id) override;
  Result<Page<StandbyRow>> standby(const StandbyQuery& query, const PageRequest& page) override;
  Result<std::optional<StandbyView>> standby_item(std::string_view id) override;
  Result<StandbyFace> standby_face(const StandbyRow& item) override;
  Result<std::optional<InboxRow>> command(std::string_view id) override;
  Result<Balance> balance() override;
  Result<std::optional<Trace>> trace(std::string_view any_id) override;
  Result<std::optional<Trace>> trace_message(std::string_view message_id) override;
  Result<std::optional<MailInboxRow>> inbox(std::string_view id) override;
  Result<Page<MailInboxRow>> inboxes(const PageRequest& page) override;
  Result<std::optional<InboxReport>> inbox_report(std::string_view id) override;
  Result<SettingsRow> settings() override;
  Result<std::optional<ArrivalView>> arrival(std::string_view id) override;
  Result<Page<ArrivalView>> mail_arrivals(const ArrivalFilter& filter, const PageRequest& page) override;
  Result<Page<CommentRow>> comments(std::string_view ticket_id, const PageRequest& page) override;
  Result<Page<AttachmentRow>> attachments(std::string_view ticket_id, const PageRequest& page) override;
  Result<std::optional<AttachmentRow>> attachment(std::string_view id) override;
  Result<Page<NoticeView>> notices(std::string_view ticket_id, const PageRequest& page) override;

 private:
  Result<TicketView> with_far_side(TicketRow ticket);
  Result<std::optional<ArrivalView>> whole(std::optional<ArrivalRow> arrival);
  Result<Page<ArrivalView>> arrivals_of(std::vector<MailRow> mails, std::int64_t limit, Cursor (*cursor_of)(const MailRow&));
  Result<std::optional<Trace>> followed(Trace trace);  // everything under its correlation id
  Result<void> add_mail(Trace& trace, const std::string& arrival_id);
  Result<void> read_ticket(Trace& trace, const std::string& ticket_id);
  Result<void> read_history(Trace& trace, const std::string& ticket_id);

  std::unique_ptr<Database> database_;
};

// The bounds of a page, checked. bad_message for a cursor that is not ours.
struct Bounds {
  std::int64_t limit = 50;
  std::optional<Cursor> after;
};
Result<Bounds> bounds_of(const PageRequest& page);

// Cuts the row too many that told there is more, and names where the next page starts.
template <class T, class F>
Page<T> paged(std::vector<T> rows, std::int64_t limit, F&& cursor_of) {
  Page<T> page;
  const bool is_more = static_cast<std::int64_t>(rows.size()) > limit;
  if (is_more) rows.resize(static_cast<std::size_t>(limit));
  page.items = std::move(rows);
  if (is_more) page.next = to_text(cursor_of(page.items.back()));
  return page;
}

}  // namespace postroom::store
