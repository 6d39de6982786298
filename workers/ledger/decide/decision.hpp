#pragma once
// What a decision results in: rows to change, messages that must arrive, messages that may be lost, the answer. Nothing here knows SQL or AMQP.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/messages/envelope.hpp"
#include "common/store/rows.hpp"
#include "workers/ledger/decide/context.hpp"

namespace postroom::ledger {

using AnyRow = std::variant<store::ConnectionRow, store::DestinationRow, store::BoardRow, store::ArrivalRow, store::TicketRow, store::DeliveryRow,
                            store::ExternalTicketRow, store::RemoteMarkRow, store::StandbyRow, store::HistoryRow, store::InboxRow,
                            store::ConnectionTestRow, store::BulkJobRow, store::MailInboxRow, store::InboxChoreRow, store::InboxSuspectRow, store::MailRow,
                            store::CommentRow, store::AttachmentRow, store::MailThreadRow, store::ParticipantRow, store::SettingsRow>;

struct Change {
  enum class Kind { insert, insert_missing, update, remove };
  Kind kind;
  AnyRow before;  // of update and remove
  AnyRow after;   // of the others
};

// Kept in `outgoing` until the broker has it.
struct MustArrive {
  std::string exchange;
  std::string routing_key;
  messages::Envelope envelope;
  std::string body;
};

// Published from memory after the commit, once.
struct MayDrop {
  std::string exchange;
  std::string routing_key;
  messages::Envelope envelope;
  std::string body;
};

// For the log and a metric, after the commit: what a person may want to know at once, or what should never happen (an alarm).
struct Notice {
  bool is_alarm = false;
  std::string what;
  std::string correlation_id;
  std::string reason_class;  // of what was shelved
};

// Also a row in `events`, so that listeners can resume.
struct Event {
  std::string type;
  std::optional<std::string> board_id;
  std::string body;
};

// One JSON object from names and values; values are escaped.
std::string detail(std::initializer_list<std::pair<std::string_view, std::string>> members);

struct Decision {
  std::vector<Change> changes;
  std::vector<std::pair<std::string, std::int64_t>> counted;  // counter and by how much
  std::vector<MustArrive> must_arrive;
  std::vector<MayDrop> may_drop;
  std::vector<Event> events;
  std::vector<std::string> touched;  // destinations that may have something to dispatch now
  std::vector<Notice> notices;
  std::int64_t status = 0;           // HTTP status of the answer; 0 = there is no answer
  std::string answer;                // its body
  bool is_answered_later = false;    // the status is 202 and stands in the inbox; who waits is answered by a later decision

  template <class R>
  void insert(R row) {
    changes.push_back({Change::Kind::insert, AnyRow{}, AnyRow{std::move(row)}});
  }
  // Nothing happens when its key is there already.
  template <class R>
  void insert_missing(R row) {
    changes.push_back({Change::Kind::insert_missing, AnyRow{}, AnyRow{std::move(row)}});
  }
  template <class R>
  void update(const R& before, R after) {
    if (before == after) return;
    changes.push_back({Change::Kind::update, AnyRow{before}, AnyRow{std::move(after)}});
  }
  template <class R>
  void remove(R row) {
    changes.push_back({Change::Kind::remove, AnyRow{std::move(row)}, AnyRow{}});
  }
  void alarm(std::string what, std::string correlation_id) { notices.push_back({true, std::move(what), std::move(correlation_id), {}}); }
  void count(std::string_view name, std::int64_t by = 1) { counted.emplace_back(name, by); }

  void reply(std::int64_t http_status, std::string body) {
    status = http_status;
    answer = std::move(body);
  }
};

// Which life a history entry belongs to.
struct About {
  std::string correlation_id;
  std::optional<std::string> ticket_id;
  std::optional<std::string> delivery_id;
  std::optional<std::string> standby_id;
};
void note(Decision& decision, Context& context, About about, std::string_view actor, std::string_view action, std::string detail_json = "{}");

}  // namespace postroom::ledger
