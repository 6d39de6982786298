#pragma once
// The lease machine: every way in which the watch over one mailbox changes hands. A value that copies the rows of a State (Needs::lease), is told
// what happened, and gives the Decision. Columns are described in schemas/sql/0002_mail.sql.
//
//   idle ─ due ─▶ dispatched ─ claimed ─▶ held ─ ended ─▶ idle, due at once, after the interval, or after a back-off
//                     │ silent              │ silent, or claimed again by another
//                     └─▶ dispatched anew   └─▶ idle, due at once
//
// A mail at which the conversation breaks, or the worker dies, gets a strike; the leases after it are careful, so that the next strike hits the
// right one. With the last strike it is passed over, and stands on the shelf.
//
// Every dispatch has a new number; whoever speaks with an older one, or with another token, is told to drop.

#include <string>
#include <string_view>
#include <vector>

#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/incoming.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

inline constexpr std::int64_t last_strike = 3;  // then a suspect mail is passed over

// May it be polled at all?
bool is_pollable(const store::MailInboxRow& inbox, const std::optional<store::ConnectionRow>& connection);

class LeaseMachine {
 public:
  // `state` has an inbox.
  LeaseMachine(const State& state, Context& context);

  const store::MailInboxRow& row() const { return row_; }
  bool is_holder(std::int64_t dispatch_no, std::string_view token) const;

  // The clock.
  void dispatch();
  void unclaimed();                               // nobody took the job
  void lost(std::string_view reason);             // the holder is gone, as far as anybody can tell
  void rest();                                    // idle, and not due before somebody changes something

  // The holder's words.
  void hold(std::string_view token, std::string_view worker);
  void hold_again();                              // the same token asks again: it heard nothing yet
  void heard();                                   // it lives
  void facts(const std::optional<messages::MailboxFacts>& mailbox, std::int64_t older_count);
  void caught_up();
  void stage(std::string_view text, std::string_view word_id);
  void asks(const std::optional<messages::MailboxFacts>& mailbox, std::optional<std::int64_t> uid);  // none: for no mail
  void ended();                                   // in peace: at once, or after the interval
  void released();                                // at once
  void failed(messages::ReasonClass reason_class, std::string_view reason);
  void broke_at(std::int64_t uid_validity, std::int64_t uid);  // after failed()
  void said(std::string_view text);               // the server, to whom it may concern
  void chores_reported(const std::vector<messages::ChoreReport>& reports);

  // A person's words.
  void look_now();                                // also when it failed a moment ago
  void settings_changed();                        // the holder is to come again with the new ones; a paused inbox rests

  messages::PollGrant grant();                    // carries chores: they are counted as carried
  std::vector<messages::PollChore> new_chores();  // that no word carried yet

  Decision& decision() { return decision_; }
  Decision finish();  // once, at the end

 private:
  void leave(std::int64_t due_at);
  void expect_soon();
  void strike(std::int64_t uid_validity, std::int64_t uid);
  void hasten();
  void is_well();
  void is_failing(messages::ReasonClass reason_class, std::string_view reason);
  void far_side_is(store::ConnectionState state, messages::ReasonClass reason_class, std::string_view reason);
  messages::PollChore carry(store::InboxChoreRow& chore);
  void note(std::string_view actor, std::string_view action, std::string detail_json);
  std::int64_t failure_wait(std::int64_t failures) const;

  const State& state_;
  Context& context_;
  Decision decision_;
  store::MailInboxRow row_;
  std::optional<store::ConnectionRow> connection_;
  std::vector<store::InboxChoreRow> chores_;
};

// poll.answered to whoever asked.
void answer_poll(Decision& decision, const Incoming& in, Context& context, const messages::PollAnswered& answer);

}  // namespace postroom::ledger
