#pragma once
// A state that knows nothing: what a test asks for, it overrides.

#include "common/store/reading.hpp"

namespace postroom::api {

class NoReading : public store::Reading {
 public:
  Result<std::string> installation_name() override { return none_; }
  Result<std::optional<store::BoardRow>> board(std::string_view) override { return none_; }
  Result<store::Page<store::BoardRow>> boards(const store::PageRequest&) override { return none_; }
  Result<std::optional<store::ConnectionRow>> connection(std::string_view) override { return none_; }
  Result<store::Page<store::ConnectionRow>> connections(const store::PageRequest&) override { return none_; }
  Result<std::optional<store::TicketView>> ticket(std::string_view) override { return none_; }
  Result<store::Page<store::TicketView>> tickets(const store::TicketFilter&, const store::PageRequest&) override { return none_; }
  Result<std::optional<store::ArrivalView>> arrival_by_ticket(std::string_view) override { return none_; }
  Result<std::vector<store::HistoryRow>> timeline(std::string_view, std::int64_t) override { return none_; }
  Result<store::Page<store::ExternalTicketRow>> external_tickets(std::string_view, const store::PageRequest&) override { return none_; }
  Result<std::optional<store::ExternalTicketRow>> external_ticket(std::string_view) override { return none_; }
  Result<store::Page<store::StandbyRow>> standby(const store::StandbyQuery&, const store::PageRequest&) override { return none_; }
  Result<std::optional<store::StandbyView>> standby_item(std::string_view) override { return none_; }
  Result<store::StandbyFace> standby_face(const store::StandbyRow&) override { return none_; }
  Result<std::optional<store::InboxRow>> command(std::string_view) override { return none_; }
  Result<store::Balance> balance() override { return none_; }
  Result<std::optional<store::Trace>> trace(std::string_view) override { return none_; }
  Result<std::optional<store::Trace>> trace_message(std::string_view) override { return none_; }
  Result<std::optional<store::MailInboxRow>> inbox(std::string_view) override { return none_; }
  Result<store::Page<store::MailInboxRow>> inboxes(const store::PageRequest&) override { return none_; }
  Result<std::optional<store::InboxReport>> inbox_report(std::string_view) override { return none_; }
  Result<store::SettingsRow> settings() override { return none_; }
  Result<std::optional<store::ArrivalView>> arrival(std::string_view) override { return none_; }
  Result<store::Page<store::ArrivalView>> mail_arrivals(const store::ArrivalFilter&, const store::PageRequest&) override { return none_; }
  Result<store::Page<store::CommentRow>> comments(std::string_view, const store::PageRequest&) override { return none_; }
  Result<store::Page<store::AttachmentRow>> attachments(std::string_view, const store::PageRequest&) override { return none_; }
  Result<std::optional<store::AttachmentRow>> attachment(std::string_view) override { return none_; }
  Result<store::Page<store::NoticeView>> notices(std::string_view, const store::PageRequest&) override { return none_; }

 private:
  Error none_{Code::bug, "this test does not ask for it"};
};

}  // namespace postroom::api
