#include "common/broker/topology.hpp"

#include <algorithm>
#include <array>

namespace postroom::broker {

namespace {

constexpr std::array process_kind_table{ProcessKind{"api"},    ProcessKind{"ledger"},      ProcessKind{"jira"},
                                        ProcessKind{"trello"}, ProcessKind{"imap_poller"}, ProcessKind{"mail_router"},
                                        ProcessKind{"notifier"}};

constexpr std::array exchange_table{
    Exchange{"cmd", "direct", "standby"},
    Exchange{"result", "direct", "standby"},
    Exchange{"work", "direct", "standby"},
    Exchange{"reply", "direct", ""},
    Exchange{"event", "topic", ""},
    Exchange{"standby", "fanout", ""},
};

// Prefetch of worker queues bounds conversations in flight for one process; the ledger's window bounds them for one destination.
constexpr std::array queue_table{
    Queue{"ledger.now", "cmd", "now", "ledger", 400, 0, true},
    Queue{"ledger.intake", "cmd", "intake", "ledger", 1000, 0, true},
    Queue{"ledger.results", "result", "result", "ledger", 1000, 0, true},
    Queue{"standby", "standby", "", "ledger", 100, 0, false},
    Queue{"jira", "work", "jira", "jira", 128, 20, true},
    Queue{"jira.test", "work", "jira.test", "jira", 4, 20, true},
    Queue{"trello", "work", "trello", "trello", 128, 20, true},
    Queue{"trello.test", "work", "trello.test", "trello", 4, 20, true},
    // One job is one mailbox watched for the length of a lease.
    Queue{"imap_poller", "work", "imap_poller", "imap_poller", 256, 0, true},
    Queue{"imap_poller.test", "work", "imap_poller.test", "imap_poller", 4, 20, true},
    Queue{"mail_router", "work", "mail_router", "mail_router", 16, 20, true},
    Queue{"notifier", "work", "notifier", "notifier", 128, 20, true},
    Queue{"notifier.test", "work", "notifier.test", "notifier", 4, 20, true},
};

constexpr std::array route_table{
    Route{"ticket.open.v1", "cmd", "intake", "api"},
    Route{"mail.arrived.v1", "cmd", "intake", "imap_poller"},
    Route{"ticket.change_state.v1", "cmd", "now", "api"},
    Route{"ticket.comment.v1", "cmd", "now", "api"},
    Route{"board.create.v1", "cmd", "now", "api"},
    Route{"board.update.v1", "cmd", "now", "api"},
    Route{"board.delete.v1", "cmd", "now", "api"},
    Route{"connection.create.v1", "cmd", "now", "api"},
    Route{"connection.update.v1", "cmd", "now", "api"},
    Route{"connection.delete.v1", "cmd", "now", "api"},
    Route{"connection.test.v1", "cmd", "now", "api"},
    Route{"inbox.create.v1", "cmd", "now", "api"},
    Route{"inbox.update.v1", "cmd", "now", "api"},
    Route{"inbox.delete.v1", "cmd", "now", "api"},
    Route{"inbox.poll.v1", "cmd", "now", "api"},
    Route{"settings.update.v1", "cmd", "now", "api"},
    Route{"standby.assign.v1", "cmd", "now", "api"},
    Route{"standby.retry.v1", "cmd", "now", "api"},
    Route{"standby.edit.v1", "cmd", "now", "api"},
    Route{"standby.delete.v1", "cmd", "now", "api"},
    Route{"standby.retry_many.v1", "cmd", "now", "api"},
    Route{"work.claim.v1", "result", "result", "jira,trello,notifier"},
    Route{"work.commit.v1", "result", "result", "jira,trello,notifier"},
    Route{"work.outcome.v1", "result", "result", "jira,trello,notifier"},
    Route{"test.outcome.v1", "result", "result", "jira,trello,imap_poller,notifier"},
    Route{"poll.claim.v1", "result", "result", "imap_poller"},
    Route{"poll.progress.v1", "result", "result", "imap_poller"},
    Route{"poll.ended.v1", "result", "result", "imap_poller"},
    Route{"mail.parsed.v1", "result", "result", "mail_router"},
    Route{"jira.create.v1", "work", "jira", "ledger"},
    Route{"jira.resolve.v1", "work", "jira", "ledger"},
    Route{"jira.test.v1", "work", "jira.test", "ledger"},
    Route{"trello.create.v1", "work", "trello", "ledger"},
    Route{"trello.resolve.v1", "work", "trello", "ledger"},
    Route{"trello.test.v1", "work", "trello.test", "ledger"},
    Route{"imap.poll.v1", "work", "imap_poller", "ledger"},
    Route{"imap_poller.test.v1", "work", "imap_poller.test", "ledger"},
    Route{"mail.parse.v1", "work", "mail_router", "ledger"},
    Route{"notify.mail.v1", "work", "notifier", "ledger"},
    Route{"notifier.test.v1", "work", "notifier.test", "ledger"},
    Route{"poll.answered.v1", "reply", "<reply-to>", "ledger"},
    Route{"claim.answered.v1", "reply", "<reply-to>", "ledger"},
    Route{"command.replied.v1", "reply", "<reply-to>", "ledger"},
    Route{"ticket.changed.v1", "event", "<type>", "ledger"},
    Route{"standby.changed.v1", "event", "<type>", "ledger"},
};

}  // namespace

std::span<const ProcessKind> process_kinds() { return process_kind_table; }
std::span<const Exchange> exchanges() { return exchange_table; }
std::span<const Queue> queues() { return queue_table; }
std::span<const Route> routes() { return route_table; }

const Queue* find_queue(std::string_view name) {
  const auto found = std::ranges::find(queue_table, name, &Queue::name);
  return found == queue_table.end() ? nullptr : &*found;
}

const Route* find_route(std::string_view type) {
  const auto found = std::ranges::find(route_table, type, &Route::type);
  return found == route_table.end() ? nullptr : &*found;
}

bool may_publish(std::string_view user, std::string_view type) {
  // The ledger replays what others once published, so it may publish everything.
  if (user == "ledger") return find_route(type) != nullptr;
  const Route* route = find_route(type);
  if (route == nullptr) return false;
  std::string_view rest = route->publishers;
  while (true) {
    const auto comma = rest.find(',');
    if (rest.substr(0, comma) == user) return true;
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
}

std::string reply_queue(std::string_view user, std::string_view instance) {
  return std::string{"reply."}.append(user).append(".").append(instance);
}

std::string event_queue(std::string_view user, std::string_view instance) {
  return std::string{"event."}.append(user).append(".").append(instance);
}

}  // namespace postroom::broker
