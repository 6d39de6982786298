#pragma once
// Rows as the JSON that people see: the same text in the ledger's replies and in the api's reads. Each function returns one JSON object.
// Fields and their order follow schemas/openapi.json. Secrets never appear.

#include <string>

#include "common/store/reading.hpp"
#include "common/store/rows.hpp"

namespace postroom::store {

std::string board_json(const BoardRow& board);
std::string connection_json(const ConnectionRow& connection);
std::string ticket_json(const TicketView& view);
std::string shelved_ticket_json(const ArrivalView& view);  // {id, state: standby | …, standby: {…}, where it went}
std::string external_ticket_json(const ExternalTicketRow& external);
std::string history_json(const HistoryRow& entry);         // {at, actor, action, detail}
std::string standby_json(const StandbyRow& item);          // without original, properties, history
std::string standby_json(const StandbyRow& item, const StandbyFace& face);   // and by what a person knows it
std::string standby_json(const StandbyView& view, const StandbyFace& face);  // with all of that
std::string command_json(const InboxRow& command);         // {id, state: running|done|rejected, status, result}
std::string balance_json(const Balance& balance);
std::string trace_json(const Trace& trace);

std::string inbox_json(const MailInboxRow& inbox);
std::string inbox_report_json(const InboxReport& report);
std::string settings_json(const SettingsRow& settings);
std::string comment_json(const CommentRow& comment);
std::string attachment_json(const AttachmentRow& attachment);
std::string notice_json(const NoticeView& notice);  // what we mailed to whom, and whether it was sent
std::string arrival_json(const ArrivalView& view);  // with a mail's facts: what it was, what became of it, why
std::string mail_json(const MailRow& mail);         // the facts alone, and where its bytes are

// {"data": …}
std::string data_json(std::string_view object);

}  // namespace postroom::store
