#pragma once
// The subcommands that talk to a running Postroom; each lives in the file of its name. The answer is the exit status.

#include <optional>
#include <string>
#include <vector>

#include "api/cli/frame.hpp"

namespace postroom::cli {

// queues: depth, consumers and rates of every queue, from the broker itself.
int run_queues(const Frame& frame);

// status: health of every process of this host. 1 when anything is degraded.
int run_status(const Frame& frame);

// trace ID: the whole life of a thing, with times since its first byte. An id, or the Message-ID of a mail.
int run_trace(const Frame& frame, const std::string& id);

// inbox …: named by id or name.
struct InboxDraft {
  std::string name;
  std::string connection;  // id or name, like board and smtp
  std::string address;
  std::string folder, board, smtp, after, after_folder, since;
  std::optional<std::int64_t> interval_seconds, duplicate_minutes;
  bool is_without_push = false;
};
int run_inbox_list(const Frame& frame);
int run_inbox_report(const Frame& frame, const std::vector<std::string>& names);  // none: all
int run_inbox_poll(const Frame& frame, const std::vector<std::string>& names);
int run_inbox_create(const Frame& frame, InboxDraft draft);

struct TicketDraft {
  std::string board;  // id or name
  std::string title;
  std::string description;
  std::string email;
  std::string name;
  std::string priority;
  std::string idempotency_key;
};
int run_ticket_create(const Frame& frame, const TicketDraft& draft);

// mail explain FILE…: what Postroom makes of mails, each told in the order given, also what cannot be read or parsed.
struct MailPick {
  std::vector<std::string> files;
  std::string inbox;      // id or name; empty: by the mails' recipients
  bool as_jsonl = false;  // a JSON line for each mail, instead of text
};
int run_mail_explain(const Frame& frame, const MailPick& pick);

// standby …: a filter picks items; ids pick single ones.
struct StandbyPick {
  std::vector<std::string> ids;
  std::string state, kind, worker, board, connection, reason_class, group;  // board and connection: id or name
  bool all = false;  // everything on the shelf
  std::int64_t limit = 50;
  bool has_filter() const { return !kind.empty() || !worker.empty() || !board.empty() || !connection.empty() || !reason_class.empty() || !group.empty(); }
};
int run_standby_list(const Frame& frame, StandbyPick pick);
int run_standby_show(const Frame& frame, const std::string& id);

struct StandbyAssignment {
  std::string board;  // id or name
  std::string assignee;
  std::string note;
};
int run_standby_assign(const Frame& frame, const std::vector<std::string>& ids, StandbyAssignment assignment);

// Single items one by one; with a filter or --all one bulk command, whose progress is followed to its end.
int run_standby_retry(const Frame& frame, const StandbyPick& pick, std::string to_board);
int run_standby_delete(const Frame& frame, const StandbyPick& pick, const std::string& reason);

}  // namespace postroom::cli
