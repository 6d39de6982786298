#pragma once
// Between deciders and database: loads what a decision needs, writes what it resulted in. The only place of the ledger that knows SQL about
// boards, tickets, deliveries and items. Everything runs inside the caller's transaction.

#include <cstdint>
#include <functional>
#include <vector>

#include "common/store/database.hpp"
#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

// What is to be done after the commit.
struct Aftermath {
  std::vector<store::OutgoingRow> outgoing;
  std::vector<MayDrop> may_drop;
  std::vector<std::string> touched;
  std::vector<Notice> notices;

  void take(Aftermath&& other);
};

class Books {
 public:
  explicit Books(store::Database& database) : database_(database) {}

  Result<void> open();  // reads where the sequences stand; once, before all else
  Result<State> load(const Needs& needs);
  Result<Aftermath> write(Decision decision, Context& context);

  // Decides one delivery that the clock or the dispatcher chose, in a savepoint of its own: one that cannot be decided is put off by a minute
  // with an alarm, so that it does not stop its neighbours. Errors are this machine's.
  Result<Aftermath> decide_delivery(const std::string& id, Context& context, const std::function<Decision(const State&)>& decide);
  // The same for one inbox that the clock chose.
  Result<Aftermath> decide_inbox(const std::string& id, Context& context, const std::function<Decision(const State&)>& decide);

  // The same for one mail that is to be read.
  Result<Aftermath> decide_mail(const std::string& id, Context& context, const std::function<Decision(const State&)>& decide);

  void committed() { is_changing_ = false; }  // what is read from now on may be remembered
  store::Database& database() { return database_; }

 private:
  Result<void> load_delivery(const Needs& needs, State& state);
  Result<void> load_item(const Needs& needs, State& state);
  Result<void> load_ticket(const std::string& id, State& state);
  Result<void> load_usage(const Needs& needs, State& state);
  Result<void> load_account_inboxes(const std::string& account, State& state);
  Result<void> load_mailboxes(const Needs& needs, State& state);
  Result<void> load_lease(State& state);
  Result<void> load_mail_delivery(const Needs& needs, State& state);
  Result<void> load_sent_mails(const store::DeliveryRow& mail, std::int64_t now, State& state);
  Result<void> forget_mailbox(const std::string& id);  // what was to be done there
  Result<void> count_matching(const messages::StandbyFilter& filter, State& state);
  Result<void> write_change(const Change& change);
  Result<Aftermath> decide_row(std::string_view table, std::string_view key, const std::string& id, const Needs& needs, Context& context,
                               const std::function<Decision(const State&)>& decide);

  // Mail (books_mail.cpp).
  Result<void> load_doors(const Needs& needs, State& state);
  Result<void> load_settings(State& state);
  Result<void> load_own_addresses(State& state);
  Result<void> load_boards(State& state);
  Result<void> load_mail(const Needs& needs, State& state);
  Result<void> load_notice(const Needs& needs, State& state);
  Result<void> load_thread_ids(const std::string& ticket_id, State& state);
  Result<void> find_same_mails(const MailTrace& trace, State& state);
  Result<void> find_thread(const MailTrace& trace, State& state);
  Result<void> find_undecided(const MailTrace& trace, std::int64_t now, State& state);
  Result<void> find_bounced(const MailTrace& trace, State& state);
  Result<bool> is_participant(const std::string& ticket_id, const std::string& address);
  Result<std::optional<store::TicketRow>> ticket_of_message(const std::string& message_id, const std::string& inbox_id, const std::string& sender);
  void forget(const Change& change);

  store::Database& database_;
  std::shared_ptr<const Boards> boards_;                         // remembered; none: read them
  std::optional<std::vector<std::string>> own_addresses_;        // likewise
  bool is_changing_ = false;                                     // not committed yet: nothing is remembered
  std::int64_t last_event_ = 0;
  std::int64_t last_outgoing_ = 0;
};

// Is the error this machine's? Then the round is rolled back and tried again; otherwise it is about one message or row.
inline bool is_machine_error(const Error& error) { return error.code() == Code::io || error.code() == Code::unavailable; }

// " AND column = ?n …" for the filter; values are appended, texts borrowed from the filter.
std::string filter_conditions(const messages::StandbyFilter& filter, std::vector<store::Value>& values);

}  // namespace postroom::ledger
