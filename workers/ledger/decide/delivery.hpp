#pragma once
// The delivery machine: every way in which a delivery changes. A value that copies the rows of a State, is told what happened, and gives the
// Decision. States and columns are described in schemas/sql/0001_core.sql; the reasons behind the steps in DESIGN 3 and reference D1:
// nothing is sent again before a consistent read, after the settling time, said twice that it is absent.
// Mails cannot be looked up (mail_delivery.cpp): of them only the commit word tells whether they may have been sent.

#include <string>

#include "common/messages/target.hpp"
#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

inline constexpr std::string_view mail_kind = "mail";
inline bool is_mail(const store::DeliveryRow& row) { return row.kind == mail_kind; }

class DeliveryMachine {
 public:
  // `state` has a delivery, its ticket, and (but for late outcomes) its connection and destination.
  DeliveryMachine(const State& state, Context& context);

  const store::DeliveryRow& row() const { return row_; }
  store::DestinationRow& destination() { return destination_; }
  bool has_destination() const { return state_.destination.has_value(); }
  messages::Target target() const;

  // Transitions.
  void dispatch();
  void claim(std::string_view token, std::string_view worker);
  void claim_again();                                   // the same token asks again: the time of sending moves
  void commit(std::optional<std::int64_t> probe_base);
  void done(const messages::Remote& remote, std::string_view actor);
  void wait_until(std::int64_t due, messages::ReasonClass reason_class, std::string_view reason, std::string_view action);
  void wait_spending(messages::ReasonClass reason_class, std::string_view reason, std::optional<std::int64_t> after_ms);  // or standby
  void snooze(std::int64_t due, messages::ReasonClass reason_class, std::string_view reason);                              // free of charge
  void refuse(messages::ReasonClass reason_class, std::string_view reason);                                                // to standby
  void resolve_at(std::int64_t due, messages::ReasonClass reason_class, std::string_view reason);
  void absent();                                        // a resolve found nothing
  void shelve(messages::ReasonClass reason_class, std::string_view reason);
  void retry(std::string_view actor);                   // from standby; cancels it when the board's target is the desk by now
  void cancel(std::string_view actor, std::string_view reason);
  void duplicate(const messages::Remote& remote);       // a second object: an alarm
  void alarm(std::string what);

  // Mails.
  void hold_back();                                     // instead of dispatch(), when something else goes first
  bool must_wait() const;
  bool is_committed() const { return row_.sent_at > 0; }  // of the running claim
  void mail_done(std::string_view message_id, std::string_view actor);
  void mail_in_doubt(std::string_view reason);          // after the commit word: assumed to be sent, or sent again
  bool is_comment() const;                              // what a person wrote
  void no_such_reader(std::string_view reason);         // of a notice: the end of it, nothing for the shelf
  std::optional<messages::MailNotice> notice() const;

  void note(std::string_view actor, std::string_view action, std::string detail_json = "{}");

  // Connection state.
  void far_side_is(store::ConnectionState state, messages::ReasonClass reason_class, std::string_view reason);

  // When the running claim was answered; its settings were those of that moment.
  std::int64_t claimed_at() const;

  Decision& decision() { return decision_; }
  Decision finish();  // once, at the end

 private:
  void leave(store::DeliveryState next);
  void not_sent_after_all();
  void keep_on_desk(std::string_view actor);
  void retarget();
  void settle_item();
  void retried(std::string_view actor);
  bool is_for_the_desk() const;
  std::int64_t claim_span() const;
  About about() const;

  void prepare_mail();
  void commit_mail();
  void mail_not_sent();
  void retry_mail(std::string_view actor);
  void mail_is_out(std::string_view message_id);
  void wake_next_mail();

  const State& state_;
  Context& context_;
  Decision decision_;
  store::DeliveryRow row_;
  store::DestinationRow destination_;
  std::optional<store::ConnectionRow> connection_;
  std::optional<store::StandbyRow> item_;
  bool is_new_item_ = false;
};

// Today's target, as far as it leads to the delivery's destination; else, and for a resolve, that of the last attempt.
messages::Target target_of(const store::DeliveryRow& row, const std::optional<store::BoardRow>& board);

// Notes the newest number known of a far side's sequence; never lowers it. `state.mark` is the one known so far.
void raise_mark(Decision& decision, const State& state, std::string_view connection_id, std::string_view scope, std::int64_t value, std::int64_t now);

constexpr std::string_view marker_scope(const messages::Target& target) { return target.jira ? std::string_view{target.jira->project_key} : std::string_view{}; }

}  // namespace postroom::ledger
