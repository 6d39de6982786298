#pragma once
// What the decisions about one mail share: its item on the shelf, what is to be done to it on the server, the job that parses it.

#include "workers/ledger/decide/arrival_desk.hpp"
#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// mails.verdict
namespace verdicts {
inline constexpr std::string_view duplicate = "duplicate", standby = "standby", unparsable = "unparsable", deleted = "deleted";
}

// Reason classes of mails on the shelf.
inline constexpr std::string_view too_large = "too_large", unfetchable = "unfetchable", unparsable = "unparsable", no_board = "no_board",
                                  inbox_unknown = "inbox_unknown", uid_reused = "uid_reused";

// "<inbox>/<UIDVALIDITY>/<UID>", and the arrival's id behind it when that does not follow from these: a mail under a UID that another one had.
std::string natural_key(const messages::MailArrived& message, const std::string& arrival_id);

// The mailbox's cursor goes exactly as far as everything before is known: a gap, or another mailbox than the cursor's, leaves it where it is.
// It goes back when a listing that began at nothing starts with a mail below it that is new: the server's UIDs fell.
void move_cursor(Decision& decision, Context& context, const std::optional<store::MailInboxRow>& mailbox, const messages::MailArrived& message, bool is_new);

// An item whose original is the mail.arrived that the row came from: its replay is decided anew.
store::StandbyRow mail_item(const store::MailRow& mail, const store::ArrivalRow& arrival, std::string_view reason_class, std::string_view reason,
                            Context& context);

// Why nothing of it is here; and for the shelf, what can be done.
std::string unfetchable_reason(const store::MailRow& mail);
std::string with_way_out(const std::string& unfetchable_reason);

// Decided: what the mailbox wants done to it on the server, if anything.
void after_import(Decision& decision, Context& context, const std::optional<store::MailInboxRow>& mailbox, const store::MailRow& mail);

// The end of a mail whose bytes, or content, another arrival has. `what`: the same bytes, …
void end_as_duplicate(Decision& decision, Context& context, ArrivalDesk& desk, const std::optional<store::MailInboxRow>& mailbox, store::MailRow& mail,
                      const store::MailRow& first, std::string why);

}  // namespace postroom::ledger
