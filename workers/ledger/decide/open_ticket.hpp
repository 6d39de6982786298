#pragma once
// Opens a ticket: the same for all doors. Row, number, history, the delivery to the board's tracker, the confirmation.

#include <optional>
#include <string>

#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

struct NewTicket {
  std::string id;  // promised by the arrival
  std::string arrival_id;
  std::string correlation_id;
  std::string title;
  std::string description;
  std::optional<std::string> creator_email;
  std::optional<std::string> creator_name;
  std::string priority = "normal";
  std::string why;    // it is on this board; "" = it was asked for
  std::string notes;  // what was repaired on the way
};

// `state` has last_ticket_number and what a notice hangs on.
store::TicketRow open_ticket(Decision& decision, Context& context, const State& state, const store::BoardRow& board, NewTicket ticket);

// Whoever is listening hears of it.
void announce(Decision& decision, const store::TicketRow& ticket, std::string_view change);

// From now on this address takes part in the ticket; nothing for an empty one.
void take_part(Decision& decision, const Context& context, const std::string& ticket_id, std::string_view address);

}  // namespace postroom::ledger
