#pragma once
// Where a board's tickets go, and the kinds of far sides.

#include "common/messages/describe.hpp"

namespace postroom::messages {

enum class TargetKind { desk, jira, trello };
template <>
inline constexpr std::array enum_names<TargetKind>{std::pair{TargetKind::desk, std::string_view{"desk"}},
                                                   std::pair{TargetKind::jira, std::string_view{"jira"}},
                                                   std::pair{TargetKind::trello, std::string_view{"trello"}}};

enum class ConnectionKind { jira, trello, imap, smtp };
template <>
inline constexpr std::array enum_names<ConnectionKind>{
    std::pair{ConnectionKind::jira, std::string_view{"jira"}}, std::pair{ConnectionKind::trello, std::string_view{"trello"}},
    std::pair{ConnectionKind::imap, std::string_view{"imap"}}, std::pair{ConnectionKind::smtp, std::string_view{"smtp"}}};

// The worker that calls it: its queue, and the kind that its secret is sealed for.
constexpr std::string_view worker_of(ConnectionKind kind) {
  switch (kind) {
    case ConnectionKind::jira: return "jira";
    case ConnectionKind::trello: return "trello";
    case ConnectionKind::imap: return "imap_poller";
    case ConnectionKind::smtp: return "notifier";
  }
  return "";
}

// title → summary, description → ADF description, creator e-mail → a line of the description.
struct JiraMapping {
  std::string project_key;                // "SUP"
  std::string issue_type;                 // id ("10001") or name ("Task")
  std::optional<std::string> priority;    // id or name; left out when empty
  std::optional<bool> use_label;          // put the searchable marker label on issues (default true)
  bool operator==(const JiraMapping&) const = default;
  static void describe(auto& self, auto&& field) {
    field("project_key", self.project_key);
    field("issue_type", self.issue_type);
    field("priority", self.priority);
    field("use_label", self.use_label);
  }
};

// title → name, description → desc, creator e-mail → a line of the description.
struct TrelloMapping {
  std::string board_id;  // 24 hexadecimal digits
  std::string list_id;
  bool operator==(const TrelloMapping&) const = default;
  static void describe(auto& self, auto&& field) {
    field("board_id", self.board_id);
    field("list_id", self.list_id);
  }
};

struct Target {
  TargetKind kind = TargetKind::desk;
  std::optional<std::string> connection_id;  // of a jira or trello target
  std::optional<JiraMapping> jira;
  std::optional<TrelloMapping> trello;
  bool operator==(const Target&) const = default;
  static void describe(auto& self, auto&& field) {
    field("kind", self.kind);
    field("connection_id", self.connection_id);
    field("jira", self.jira);
    field("trello", self.trello);
  }
};

}  // namespace postroom::messages
