#pragma once
// From what the router found and what the records tell to the verdict of common/mail.

#include "common/mail/decide.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

struct MailVerdict {
  mail::Decision decision;
  const store::MailRow* first = nullptr;    // of a duplicate; part of the state
  const store::BoardRow* board = nullptr;   // of a ticket; part of the state
};

// `state` has mail, mailbox, boards and settings, and what the trace led to.
MailVerdict verdict_of(const State& state, const messages::ParsedMail& parsed);

// The board that an operator assigned the mail to; without one when it is not there or archived. `state` has mail and boards.
mail::Route assigned_route(const State& state);
const store::BoardRow* board_of(const State& state, const mail::Route& route);  // part of the state; null: there is none

MailTrace trace_of(const messages::ParsedMail& parsed);

}  // namespace postroom::ledger
