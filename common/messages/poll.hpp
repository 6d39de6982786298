#pragma once
// The lease protocol between ledger and imap_poller: imap.poll.v1 (ledger → imap_poller), poll.claim.v1, poll.progress.v1, poll.ended.v1
// (imap_poller → ledger), poll.answered.v1 (ledger → that instance); imap_poller.test.v1 (ledger → imap_poller).
// A lease is one session with one mailbox: fetch what is new, then watch until the lease ends. The holder renews its word every minute.

#include <cstdint>
#include <vector>

#include "common/messages/work.hpp"

namespace postroom::messages {

struct ImapPoll {
  static constexpr std::string_view type = "imap.poll.v1";
  std::string inbox_id;
  std::int64_t dispatch_no = 0;  // an older number is told to drop
  bool operator==(const ImapPoll&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("dispatch_no", self.dispatch_no);
  }
};

struct PollClaim {
  static constexpr std::string_view type = "poll.claim.v1";
  std::string inbox_id;
  std::int64_t dispatch_no = 0;
  std::string token;   // UUID, minted by the worker for this lease
  std::string worker;  // instance
  bool operator==(const PollClaim&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("worker", self.worker);
  }
};

enum class ChoreVerb { flag, move, erase };
template <>
inline constexpr std::array enum_names<ChoreVerb>{std::pair{ChoreVerb::flag, std::string_view{"flag"}},
                                                  std::pair{ChoreVerb::move, std::string_view{"move"}},
                                                  std::pair{ChoreVerb::erase, std::string_view{"delete"}}};

// Something to do to one mail on the server; only under this UIDVALIDITY.
struct PollChore {
  std::string chore_id;
  std::int64_t uid_validity = 0;
  std::int64_t uid = 0;
  ChoreVerb verb = ChoreVerb::flag;
  std::string argument;  // flag: \Seen; move: the folder, UTF-8
  bool operator==(const PollChore&) const = default;
  static void describe(auto& self, auto&& field) {
    field("chore_id", self.chore_id);
    field("uid_validity", self.uid_validity);
    field("uid", self.uid);
    field("verb", self.verb);
    field("argument", self.argument);
  }
};

enum class ChoreResult { done, refused, failed };
template <>
inline constexpr std::array enum_names<ChoreResult>{std::pair{ChoreResult::done, std::string_view{"done"}},
                                                    std::pair{ChoreResult::refused, std::string_view{"refused"}},
                                                    std::pair{ChoreResult::failed, std::string_view{"failed"}}};

struct ChoreReport {
  std::string chore_id;
  ChoreResult result = ChoreResult::done;
  std::string text;  // the server's words
  bool operator==(const ChoreReport&) const = default;
  static void describe(auto& self, auto&& field) {
    field("chore_id", self.chore_id);
    field("result", self.result);
    field("text", self.text);
  }
};

// Everything up to last_uid has its arrival, as long as the mailbox keeps this UIDVALIDITY.
struct MailboxCursor {
  std::int64_t uid_validity = 0;
  std::int64_t last_uid = 0;
  bool operator==(const MailboxCursor&) const = default;
  static void describe(auto& self, auto&& field) {
    field("uid_validity", self.uid_validity);
    field("last_uid", self.last_uid);
  }
};

struct PollGrant {
  Site site;
  std::string folder;
  std::optional<MailboxCursor> cursor;   // none: the first contact
  std::optional<std::int64_t> since_us;  // at the first contact: mail received before is left alone
  std::vector<std::int64_t> skip;        // UIDs that broke the conversation before
  std::vector<PollChore> chores;
  std::int64_t interval_ms = 60'000;
  bool is_push = true;
  bool is_careful = false;               // one mail at a time: a conversation broke, and the culprit is to be found
  std::int64_t lease_ms = 0;             // from the claim; then end and let the job go
  bool operator==(const PollGrant&) const = default;
  static void describe(auto& self, auto&& field) {
    field("site", self.site);
    field("folder", self.folder);
    field("cursor", self.cursor);
    field("since_us", self.since_us);
    field("skip", self.skip);
    field("chores", self.chores);
    field("interval_ms", self.interval_ms);
    field("is_push", self.is_push);
    field("is_careful", self.is_careful);
    field("lease_ms", self.lease_ms);
  }
};

// Answer to poll.claim (send: with a grant) and to poll.progress (send: go on, perhaps with more chores; drop: log out).
struct PollAnswered {
  static constexpr std::string_view type = "poll.answered.v1";
  std::string inbox_id;
  std::int64_t dispatch_no = 0;
  std::string token;
  ClaimVerdict verdict = ClaimVerdict::drop;
  std::string reason;  // of drop
  std::optional<PollGrant> grant;
  std::vector<PollChore> chores;
  bool operator==(const PollAnswered&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("verdict", self.verdict);
    field("reason", self.reason);
    field("grant", self.grant);
    field("chores", self.chores);
  }
};

// What SELECT told.
struct MailboxFacts {
  std::int64_t uid_validity = 0;
  std::int64_t exists = 0;
  bool is_read_only = false;
  bool can_push = false;  // the server has IDLE
  bool operator==(const MailboxFacts&) const = default;
  static void describe(auto& self, auto&& field) {
    field("uid_validity", self.uid_validity);
    field("exists", self.exists);
    field("is_read_only", self.is_read_only);
    field("can_push", self.can_push);
  }
};

// The holder's word: it lives, this far it got. Sent every minute, and at once with chores done or when it caught up.
struct PollProgress {
  static constexpr std::string_view type = "poll.progress.v1";
  std::string inbox_id;
  std::int64_t dispatch_no = 0;
  std::string token;
  std::string stage;                    // for people: listing, fetching, watching …
  std::optional<MailboxFacts> mailbox;
  std::int64_t older_count = 0;         // mails left alone because of `since`, since the last word
  bool is_caught_up = false;            // nothing newer was there
  std::vector<ChoreReport> chores;
  std::string notice;                   // the server's [ALERT], or what it did wrong
  std::optional<std::int64_t> asking_uid;  // of a careful lease: the mail that is asked for next, or now; should the worker die, it is the suspect
  bool operator==(const PollProgress&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("stage", self.stage);
    field("mailbox", self.mailbox);
    field("older_count", self.older_count);
    field("is_caught_up", self.is_caught_up);
    field("chores", self.chores);
    field("notice", self.notice);
    field("asking_uid", self.asking_uid);
  }
};

enum class PollOutcome { done, failed, released };
template <>
inline constexpr std::array enum_names<PollOutcome>{std::pair{PollOutcome::done, std::string_view{"done"}},          // the lease ended in peace
                                                    std::pair{PollOutcome::failed, std::string_view{"failed"}},      // the far side, or the way there
                                                    std::pair{PollOutcome::released, std::string_view{"released"}}};  // the worker stops: another one may go on at once

struct PollEnded {
  static constexpr std::string_view type = "poll.ended.v1";
  std::string inbox_id;
  std::int64_t dispatch_no = 0;
  std::string token;
  PollOutcome outcome = PollOutcome::done;
  ReasonClass reason_class = ReasonClass::none;
  std::string reason;                       // one sentence for a person
  std::optional<std::int64_t> suspect_uid;  // the mail that was being asked for when the conversation broke
  std::optional<MailboxFacts> mailbox;
  std::int64_t older_count = 0;
  std::vector<ChoreReport> chores;
  bool operator==(const PollEnded&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("dispatch_no", self.dispatch_no);
    field("token", self.token);
    field("outcome", self.outcome);
    field("reason_class", self.reason_class);
    field("reason", self.reason);
    field("suspect_uid", self.suspect_uid);
    field("mailbox", self.mailbox);
    field("older_count", self.older_count);
    field("chores", self.chores);
  }
};

struct ImapPollerTest {
  static constexpr std::string_view type = "imap_poller.test.v1";
  std::string test_id;
  Site site;
  std::optional<std::string> folder;  // none: INBOX
  bool operator==(const ImapPollerTest&) const = default;
  static void describe(auto& self, auto&& field) {
    field("test_id", self.test_id);
    field("site", self.site);
    field("folder", self.folder);
  }
};

}  // namespace postroom::messages
