#pragma once
// Mails to the people behind a ticket: whom a change is told, and whom never. Each is a delivery of kind mail in the decision that caused it.
// Never told: automatic senders, our own addresses, addresses that take no answers; and mail that is older than its inbox (first_moments.hpp) gets no
// confirmation and no word about states (a person's comment is sent all the same).

#include <optional>
#include <string>

#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/delivery.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// `state` as Needs::notice asks for it; `ticket` as it is after the change. The ticket is new: its creator gets a confirmation.
// Of a ticket made of a mail, call it only when the mail may be confirmed: what the router found is not in the rows yet.
void notify_opened(Decision& decision, Context& context, const State& state, const store::TicketRow& ticket);
// Its state changed; `note` is what the person who did it added.
void notify_state(Decision& decision, Context& context, const State& state, const store::TicketRow& ticket, std::optional<std::string> note);
// Somebody of ours said something. Internal comments and what came by mail are not sent.
void notify_comment(Decision& decision, Context& context, const State& state, const store::TicketRow& ticket, const store::CommentRow& comment);

}  // namespace postroom::ledger
