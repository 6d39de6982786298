#pragma once
// The delivery protocol between ledger and trackers' workers:
// jira.create.v1, jira.resolve.v1, trello.create.v1, trello.resolve.v1, notify.mail.v1 (ledger → worker): what to do, no credentials, no mapping;
// work.claim.v1, work.commit.v1, work.outcome.v1 (worker → ledger); claim.answered.v1 (ledger → that worker instance).

#include <cstdint>
#include <vector>

#include "common/messages/connection.hpp"

namespace postroom::messages {

// Members of every delivery job.
struct Job {
  std::string delivery_id;
  std::int64_t dispatch_no = 0;  // an older number is told to drop
  std::string ticket_id;
  bool operator==(const Job&) const = default;
  static void describe(auto& self, auto&& field) {
    field("delivery_id", self.delivery_id);
    field("dispatch_no", self.dispatch_no);
    field("ticket_id", self.ticket_id);
  }
};
struct JiraCreate : Job {
  static constexpr std::string_view type = "jira.create.v1";
};
struct JiraResolve : Job {
  static constexpr std::string_view type = "jira.resolve.v1";
};
struct TrelloCreate : Job {
  static constexpr std::string_view type = "trello.create.v1";
};
struct TrelloResolve : Job {
  static constexpr std::string_view type = "trello.resolve.v1";
};
struct NotifyMail : Job {
  static constexpr std::string_view type = "notify.mail.v1";
};

// "May I?" The same token gets the same answer; another token for the same dispatch gets drop.
struct WorkClaim {
  static constexpr std::string_view type = "work.claim.v1";
  std::string delivery_id;
  std::int64_t dispatch_no = 0;
  std::string token;   // UUID, minted by the worker for this delivery of the message
  std::string worker;  // instance, for the history: "jira-4711"
  bool operator==(const WorkClaim&) const = default;
  static void describe(auto& self, auto&& field) {
    field("delivery_id", self.delivery_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("worker", self.worker);
  }
};

// The second durable word: "note this before I go on". For Jira: the project's newest key number, when the ledger knew none. For a mail: all but
// the final dot is sent; from here on it may arrive.
struct WorkCommit {
  static constexpr std::string_view type = "work.commit.v1";
  std::string delivery_id;
  std::int64_t dispatch_no = 0;
  std::string token;
  std::optional<std::int64_t> probe_base;
  bool operator==(const WorkCommit&) const = default;
  static void describe(auto& self, auto&& field) {
    field("delivery_id", self.delivery_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("probe_base", self.probe_base);
  }
};

enum class Outcome { done, defer, snooze, refuse, not_sent, unknown };
template <>
inline constexpr std::array enum_names<Outcome>{
    std::pair{Outcome::done, std::string_view{"done"}},         std::pair{Outcome::defer, std::string_view{"defer"}},
    std::pair{Outcome::snooze, std::string_view{"snooze"}},     std::pair{Outcome::refuse, std::string_view{"refuse"}},
    std::pair{Outcome::not_sent, std::string_view{"not_sent"}}, std::pair{Outcome::unknown, std::string_view{"unknown"}}};

// The object that a delivery made on the far side.
struct Remote {
  std::string id;                    // stable: Jira issue id, Trello card id
  std::string key;                   // for people: SUP-17, Trello short link
  std::string url;                   // browser address
  std::optional<std::int64_t> mark;  // Jira: the key's number, the next probe base
  bool operator==(const Remote&) const = default;
  static void describe(auto& self, auto&& field) {
    field("id", self.id);
    field("key", self.key);
    field("url", self.url);
    field("mark", self.mark);
  }
};

// How far the destination announced its limits, when it did (response headers); all optional.
struct Limits {
  std::optional<std::int64_t> per_interval;  // requests allowed …
  std::optional<std::int64_t> interval_ms;   // … in this long
  std::optional<std::int64_t> remaining;
  std::optional<std::int64_t> reset_ms;      // until the allowance is fresh
  bool operator==(const Limits&) const = default;
  static void describe(auto& self, auto&& field) {
    field("per_interval", self.per_interval);
    field("interval_ms", self.interval_ms);
    field("remaining", self.remaining);
    field("reset_ms", self.reset_ms);
  }
};

// A resolve job that found nothing reports not_sent with reason class absent.
struct WorkOutcome {
  static constexpr std::string_view type = "work.outcome.v1";
  std::string delivery_id;
  std::int64_t dispatch_no = 0;
  std::string token;
  Outcome outcome = Outcome::unknown;
  ReasonClass reason_class = ReasonClass::none;
  std::string reason;                       // one sentence for a person; empty when done
  std::optional<std::int64_t> http_status;
  std::optional<std::int64_t> after_ms;     // of defer and snooze: the far side's wish (Retry-After)
  std::optional<Remote> remote;             // of done
  std::vector<Remote> duplicates;           // resolve found more than one: all but the lowest
  std::optional<Limits> limits;
  std::optional<std::int64_t> took_ms;      // the exchange with the far side
  bool operator==(const WorkOutcome&) const = default;
  static void describe(auto& self, auto&& field) {
    field("delivery_id", self.delivery_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("outcome", self.outcome);
    field("reason_class", self.reason_class);
    field("reason", self.reason);
    field("http_status", self.http_status);
    field("after_ms", self.after_ms);
    field("remote", self.remote);
    field("duplicates", self.duplicates);
    field("limits", self.limits);
    field("took_ms", self.took_ms);
  }
};

// The ticket as the far side shall see it.
struct TicketCard {
  std::string id;
  std::int64_t number = 0;
  std::string board_name;
  std::string title;
  std::string description;
  std::optional<std::string> creator_email;
  std::optional<std::string> creator_name;
  std::string url;         // of the ticket in Postroom; contains the marker's id
  std::string created_at;  // RFC 3339
  bool operator==(const TicketCard&) const = default;
  static void describe(auto& self, auto&& field) {
    field("id", self.id);
    field("number", self.number);
    field("board_name", self.board_name);
    field("title", self.title);
    field("description", self.description);
    field("creator_email", self.creator_email);
    field("creator_name", self.creator_name);
    field("url", self.url);
    field("created_at", self.created_at);
  }
};

// A mail to one person about a ticket. The notifier makes the texts, and the Message-ID from ticket and delivery.
enum class NoticeKind { confirmation, state, comment };
template <>
inline constexpr std::array enum_names<NoticeKind>{std::pair{NoticeKind::confirmation, std::string_view{"confirmation"}},
                                                   std::pair{NoticeKind::state, std::string_view{"state"}},
                                                   std::pair{NoticeKind::comment, std::string_view{"comment"}}};

struct MailNotice {
  NoticeKind kind = NoticeKind::confirmation;
  std::string sender_address;  // From and envelope sender
  std::string sender_name;
  std::string recipient;       // bare address
  std::optional<std::string> recipient_name;
  std::string state;           // the ticket's, for people
  std::optional<std::string> note;         // of a state change
  std::optional<std::string> comment_text;
  std::optional<std::string> comment_author;
  std::vector<std::string> references;     // Message-IDs of the conversation so far, without angle brackets, oldest first
  std::string date;                        // RFC 3339: the same at each attempt, as the whole mail is
  bool operator==(const MailNotice&) const = default;
  static void describe(auto& self, auto&& field) {
    field("kind", self.kind);
    field("sender_address", self.sender_address);
    field("sender_name", self.sender_name);
    field("recipient", self.recipient);
    field("recipient_name", self.recipient_name);
    field("state", self.state);
    field("note", self.note);
    field("comment_text", self.comment_text);
    field("comment_author", self.comment_author);
    field("references", self.references);
    field("date", self.date);
  }
};

enum class ClaimVerdict { send, drop };
template <>
inline constexpr std::array enum_names<ClaimVerdict>{std::pair{ClaimVerdict::send, std::string_view{"send"}},
                                                     std::pair{ClaimVerdict::drop, std::string_view{"drop"}}};

// What a worker may do, with today's settings. Present with `send`.
struct Grant {
  Site site;
  Target target;  // the board's, or for a resolve that of the attempt in doubt
  TicketCard ticket;
  std::string marker;  // "<installation id>.<delivery id>": the same for all attempts
  std::int64_t attempt = 0;
  std::optional<std::int64_t> probe_base;     // Jira: newest key number known before the attempt; none: probe and commit it first
  std::optional<std::int64_t> sent_at_us;     // of the attempt in doubt, for a resolve
  std::optional<MailNotice> notice;           // of notify.mail
  bool operator==(const Grant&) const = default;
  static void describe(auto& self, auto&& field) {
    field("site", self.site);
    field("target", self.target);
    field("ticket", self.ticket);
    field("marker", self.marker);
    field("attempt", self.attempt);
    field("probe_base", self.probe_base);
    field("sent_at_us", self.sent_at_us);
    field("notice", self.notice);
  }
};

// Answer to work.claim and to work.commit (then with `send` and no grant).
struct ClaimAnswered {
  static constexpr std::string_view type = "claim.answered.v1";
  std::string delivery_id;
  std::int64_t dispatch_no = 0;
  std::string token;
  ClaimVerdict verdict = ClaimVerdict::drop;
  std::string asked;   // the type that is answered: work.claim.v1 or work.commit.v1
  std::string reason;  // of drop
  std::optional<Grant> grant;
  bool operator==(const ClaimAnswered&) const = default;
  static void describe(auto& self, auto&& field) {
    field("delivery_id", self.delivery_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("verdict", self.verdict);
    field("asked", self.asked);
    field("reason", self.reason);
    field("grant", self.grant);
  }
};

}  // namespace postroom::messages
