#pragma once
// connection.create.v1, connection.update.v1, connection.delete.v1, connection.test.v1 (api → ledger); jira.test.v1, trello.test.v1
// (ledger → worker), test.outcome.v1 (worker → ledger). Secrets are sealed for the worker's kind before they leave the api.

#include <cstdint>
#include <vector>

#include "common/messages/target.hpp"

namespace postroom::messages {

struct ConnectionCreate {
  static constexpr std::string_view type = "connection.create.v1";
  std::string connection_id;
  std::string actor;
  std::string name;
  ConnectionKind kind = ConnectionKind::jira;
  std::string base_url;       // https://site.atlassian.net, https://api.trello.com, imaps://host[:port], smtp://host[:port] (STARTTLS)
  std::string account;        // Jira: e-mail address; Trello: API key; IMAP, SMTP: user name
  std::string secret_sealed;  // Jira: API token; Trello: token; IMAP, SMTP: password
  bool operator==(const ConnectionCreate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("connection_id", self.connection_id);
    field("actor", self.actor);
    field("name", self.name);
    field("kind", self.kind);
    field("base_url", self.base_url);
    field("account", self.account);
    field("secret_sealed", self.secret_sealed);
  }
};

struct ConnectionUpdate {
  static constexpr std::string_view type = "connection.update.v1";
  std::string connection_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> name;
  std::optional<std::string> base_url;
  std::optional<std::string> account;
  std::optional<std::string> secret_sealed;
  std::optional<bool> is_paused;  // an operator's pause: nothing is dispatched to it
  bool operator==(const ConnectionUpdate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("connection_id", self.connection_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("name", self.name);
    field("base_url", self.base_url);
    field("account", self.account);
    field("secret_sealed", self.secret_sealed);
    field("is_paused", self.is_paused);
  }
};

// Refused (409) while a board targets it or a delivery is unfinished.
struct ConnectionDelete {
  static constexpr std::string_view type = "connection.delete.v1";
  std::string connection_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  bool operator==(const ConnectionDelete&) const = default;
  static void describe(auto& self, auto&& field) {
    field("connection_id", self.connection_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
  }
};

// Answered when the worker's test.outcome is in. With a board, its mapping is tested too.
struct ConnectionTest {
  static constexpr std::string_view type = "connection.test.v1";
  std::string connection_id;
  std::string actor;
  std::optional<std::string> board_id;
  std::optional<std::string> folder;  // of an imap connection; none: INBOX
  bool operator==(const ConnectionTest&) const = default;
  static void describe(auto& self, auto&& field) {
    field("connection_id", self.connection_id);
    field("actor", self.actor);
    field("board_id", self.board_id);
    field("folder", self.folder);
  }
};

// What a tracker's worker needs to know of the far side. The worker unseals the secret with its kind's key.
struct Site {
  std::string connection_id;  // also the seal's row
  std::string base_url;
  std::string account;
  std::string secret_sealed;
  bool operator==(const Site&) const = default;
  static void describe(auto& self, auto&& field) {
    field("connection_id", self.connection_id);
    field("base_url", self.base_url);
    field("account", self.account);
    field("secret_sealed", self.secret_sealed);
  }
};

struct JiraTest {
  static constexpr std::string_view type = "jira.test.v1";
  std::string test_id;  // = the command's id
  Site site;
  std::optional<JiraMapping> mapping;
  bool operator==(const JiraTest&) const = default;
  static void describe(auto& self, auto&& field) {
    field("test_id", self.test_id);
    field("site", self.site);
    field("mapping", self.mapping);
  }
};

struct TrelloTest {
  static constexpr std::string_view type = "trello.test.v1";
  std::string test_id;
  Site site;
  std::optional<TrelloMapping> mapping;
  bool operator==(const TrelloTest&) const = default;
  static void describe(auto& self, auto&& field) {
    field("test_id", self.test_id);
    field("site", self.site);
    field("mapping", self.mapping);
  }
};

struct NotifierTest {
  static constexpr std::string_view type = "notifier.test.v1";
  std::string test_id;
  Site site;
  bool operator==(const NotifierTest&) const = default;
  static void describe(auto& self, auto&& field) {
    field("test_id", self.test_id);
    field("site", self.site);
  }
};

struct TestCheck {
  std::string name;    // "reach", "log in", "permissions", "project", "issue type", "list" …
  bool passed = false;
  std::string detail;  // what was wrong, and what to do
  bool operator==(const TestCheck&) const = default;
  static void describe(auto& self, auto&& field) {
    field("name", self.name);
    field("passed", self.passed);
    field("detail", self.detail);
  }
};

// Why, for people, metrics, grouping and the connection's state.
enum class ReasonClass { none, unreachable, timeout, server_error, rate_limited, credentials, not_found, invalid_data, conflict, certificate, blocked_address, protocol, shutdown, absent, unresolvable, assumed_sent, recipient_refused };
template <>
inline constexpr std::array enum_names<ReasonClass>{
    std::pair{ReasonClass::none, std::string_view{"none"}},
    std::pair{ReasonClass::unreachable, std::string_view{"unreachable"}},
    std::pair{ReasonClass::timeout, std::string_view{"timeout"}},
    std::pair{ReasonClass::server_error, std::string_view{"server_error"}},
    std::pair{ReasonClass::rate_limited, std::string_view{"rate_limited"}},
    std::pair{ReasonClass::credentials, std::string_view{"credentials"}},
    std::pair{ReasonClass::not_found, std::string_view{"not_found"}},
    std::pair{ReasonClass::invalid_data, std::string_view{"invalid_data"}},
    std::pair{ReasonClass::conflict, std::string_view{"conflict"}},
    std::pair{ReasonClass::certificate, std::string_view{"certificate"}},
    std::pair{ReasonClass::blocked_address, std::string_view{"blocked_address"}},
    std::pair{ReasonClass::protocol, std::string_view{"protocol"}},
    std::pair{ReasonClass::shutdown, std::string_view{"shutdown"}},
    std::pair{ReasonClass::absent, std::string_view{"absent"}},
    std::pair{ReasonClass::unresolvable, std::string_view{"unresolvable"}},
    std::pair{ReasonClass::assumed_sent, std::string_view{"assumed_sent"}},              // of a mail: nothing was heard after the commit word
    std::pair{ReasonClass::recipient_refused, std::string_view{"recipient_refused"}}};

struct TestOutcome {
  static constexpr std::string_view type = "test.outcome.v1";
  std::string test_id;
  std::string connection_id;
  bool passed = false;
  std::string summary;  // one sentence for a person
  std::vector<TestCheck> checks;
  ReasonClass reason_class = ReasonClass::none;  // of what failed first; becomes the connection's
  bool operator==(const TestOutcome&) const = default;
  static void describe(auto& self, auto&& field) {
    field("test_id", self.test_id);
    field("connection_id", self.connection_id);
    field("passed", self.passed);
    field("summary", self.summary);
    field("checks", self.checks);
    field("reason_class", self.reason_class);
  }
};

}  // namespace postroom::messages
