#pragma once
// Rows of the doors: inboxes, chores, mails, comments, attachments, threads, settings. Columns are described in schemas/sql/0002_mail.sql.

#include <cstdint>
#include <optional>
#include <string>

#include "common/messages/connection.hpp"
#include "common/messages/inbox.hpp"
#include "common/messages/mail.hpp"
#include "common/messages/poll.hpp"
#include "common/store/states.hpp"

namespace postroom::store {

using Text = std::string;
using OptionalText = std::optional<std::string>;

struct MailInboxRow {
  static constexpr std::string_view table = "inboxes";
  static constexpr int key_columns = 1;
  Text id;
  Text name;
  Text connection_id;
  Text address;
  Text folder;
  OptionalText board_id;
  OptionalText smtp_connection_id;
  std::int64_t interval_ms = 0;
  bool is_push = false;
  messages::AfterImport after_import{};
  OptionalText after_folder;
  std::int64_t duplicate_ms = 0;
  std::int64_t since = 0;
  bool is_paused = false;
  std::int64_t uid_validity = 0;
  std::int64_t last_uid = 0;
  LeaseState lease{};
  std::int64_t dispatch_no = 0;
  Text token;
  Text worker;
  std::int64_t due_at = 0;
  std::int64_t lease_until = 0;
  bool is_stopping = false;
  ConnectionState state{};
  messages::ReasonClass reason_class{};
  Text reason;
  std::int64_t state_at = 0;
  std::int64_t failures = 0;
  bool can_push = false;
  Text stage;
  Text word_id;
  std::int64_t server_exists = 0;
  std::int64_t server_older = 0;
  std::int64_t server_at = 0;
  std::int64_t caught_up_at = 0;
  std::int64_t version = 0;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::int64_t silences = 0;
  std::int64_t asking_uid_validity = 0;
  std::int64_t asking_uid = 0;
  bool operator==(const MailInboxRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("name", self.name);
    column("connection_id", self.connection_id);
    column("address", self.address);
    column("folder", self.folder);
    column("board_id", self.board_id);
    column("smtp_connection_id", self.smtp_connection_id);
    column("interval_ms", self.interval_ms);
    column("is_push", self.is_push);
    column("after_import", self.after_import);
    column("after_folder", self.after_folder);
    column("duplicate_ms", self.duplicate_ms);
    column("since", self.since);
    column("is_paused", self.is_paused);
    column("uid_validity", self.uid_validity);
    column("last_uid", self.last_uid);
    column("lease", self.lease);
    column("dispatch_no", self.dispatch_no);
    column("token", self.token);
    column("worker", self.worker);
    column("due_at", self.due_at);
    column("lease_until", self.lease_until);
    column("is_stopping", self.is_stopping);
    column("state", self.state);
    column("reason_class", self.reason_class);
    column("reason", self.reason);
    column("state_at", self.state_at);
    column("failures", self.failures);
    column("can_push", self.can_push);
    column("stage", self.stage);
    column("word_id", self.word_id);
    column("server_exists", self.server_exists);
    column("server_older", self.server_older);
    column("server_at", self.server_at);
    column("caught_up_at", self.caught_up_at);
    column("version", self.version);
    column("created_at", self.created_at);
    column("updated_at", self.updated_at);
    column("silences", self.silences);
    column("asking_uid_validity", self.asking_uid_validity);
    column("asking_uid", self.asking_uid);
  }
};

struct InboxChoreRow {
  static constexpr std::string_view table = "inbox_chores";
  static constexpr int key_columns = 1;
  Text id;
  Text inbox_id;
  std::int64_t uid_validity = 0;
  std::int64_t uid = 0;
  messages::ChoreVerb verb{};
  Text argument;
  ChoreState state{};
  std::int64_t attempts = 0;
  Text reason;
  std::int64_t created_at = 0;
  bool operator==(const InboxChoreRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("inbox_id", self.inbox_id);
    column("uid_validity", self.uid_validity);
    column("uid", self.uid);
    column("verb", self.verb);
    column("argument", self.argument);
    column("state", self.state);
    column("attempts", self.attempts);
    column("reason", self.reason);
    column("created_at", self.created_at);
  }
};

struct InboxSuspectRow {
  static constexpr std::string_view table = "inbox_suspects";
  static constexpr int key_columns = 3;
  Text inbox_id;
  std::int64_t uid_validity = 0;
  std::int64_t uid = 0;
  std::int64_t strikes = 0;
  bool operator==(const InboxSuspectRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("inbox_id", self.inbox_id);
    column("uid_validity", self.uid_validity);
    column("uid", self.uid);
    column("strikes", self.strikes);
  }
};

struct MailRow {
  static constexpr std::string_view table = "mails";
  static constexpr int key_columns = 1;
  Text arrival_id;
  Text inbox_id;
  std::int64_t uid_validity = 0;
  std::int64_t uid = 0;
  Text blob_sha256;
  std::int64_t blob_size = 0;
  messages::MailExtent extent{};
  Text trouble;
  std::int64_t received_at = 0;
  MailStage stage{};
  std::int64_t parse_no = 0;
  std::int64_t due_at = 0;
  Text assigned_board;
  Text message_id;
  Text sender_address;
  Text sender_name;
  Text subject;
  std::int64_t date_at = 0;
  Text sender_subject_key;
  Text content_key;
  bool is_auto = false;
  Text auto_reason;
  Text verdict;
  Text why;
  OptionalText ticket_id;
  OptionalText comment_id;
  OptionalText duplicate_of;
  std::int64_t decided_at = 0;
  bool operator==(const MailRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("arrival_id", self.arrival_id);
    column("inbox_id", self.inbox_id);
    column("uid_validity", self.uid_validity);
    column("uid", self.uid);
    column("blob_sha256", self.blob_sha256);
    column("blob_size", self.blob_size);
    column("extent", self.extent);
    column("trouble", self.trouble);
    column("received_at", self.received_at);
    column("stage", self.stage);
    column("parse_no", self.parse_no);
    column("due_at", self.due_at);
    column("assigned_board", self.assigned_board);
    column("message_id", self.message_id);
    column("sender_address", self.sender_address);
    column("sender_name", self.sender_name);
    column("subject", self.subject);
    column("date_at", self.date_at);
    column("sender_subject_key", self.sender_subject_key);
    column("content_key", self.content_key);
    column("is_auto", self.is_auto);
    column("auto_reason", self.auto_reason);
    column("verdict", self.verdict);
    column("why", self.why);
    column("ticket_id", self.ticket_id);
    column("comment_id", self.comment_id);
    column("duplicate_of", self.duplicate_of);
    column("decided_at", self.decided_at);
  }
};

struct CommentRow {
  static constexpr std::string_view table = "comments";
  static constexpr int key_columns = 1;
  Text id;
  Text ticket_id;
  OptionalText arrival_id;
  Text actor;
  OptionalText author_email;
  OptionalText author_name;
  bool is_public = false;
  Text text;
  Text full_text;
  std::int64_t created_at = 0;
  bool operator==(const CommentRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("ticket_id", self.ticket_id);
    column("arrival_id", self.arrival_id);
    column("actor", self.actor);
    column("author_email", self.author_email);
    column("author_name", self.author_name);
    column("is_public", self.is_public);
    column("text", self.text);
    column("full_text", self.full_text);
    column("created_at", self.created_at);
  }
};

struct AttachmentRow {
  static constexpr std::string_view table = "attachments";
  static constexpr int key_columns = 1;
  Text id;
  Text ticket_id;
  OptionalText comment_id;
  OptionalText arrival_id;
  Text name;
  Text content_type;
  Text content_id;
  bool is_inline = false;
  std::int64_t size = 0;
  Text sha256;
  std::int64_t created_at = 0;
  bool operator==(const AttachmentRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("ticket_id", self.ticket_id);
    column("comment_id", self.comment_id);
    column("arrival_id", self.arrival_id);
    column("name", self.name);
    column("content_type", self.content_type);
    column("content_id", self.content_id);
    column("is_inline", self.is_inline);
    column("size", self.size);
    column("sha256", self.sha256);
    column("created_at", self.created_at);
  }
};

struct MailThreadRow {
  static constexpr std::string_view table = "mail_threads";
  static constexpr int key_columns = 2;
  Text message_id;
  Text ticket_id;
  std::int64_t at = 0;
  bool operator==(const MailThreadRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("message_id", self.message_id);
    column("ticket_id", self.ticket_id);
    column("at", self.at);
  }
};

struct ParticipantRow {
  static constexpr std::string_view table = "participants";
  static constexpr int key_columns = 2;
  Text ticket_id;
  Text address;
  std::int64_t at = 0;
  bool operator==(const ParticipantRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("ticket_id", self.ticket_id);
    column("address", self.address);
    column("at", self.at);
  }
};

struct SettingsRow {
  static constexpr std::string_view table = "settings";
  static constexpr int key_columns = 1;
  std::int64_t id = 0;
  OptionalText default_board_id;
  OptionalText smtp_connection_id;
  OptionalText sender_address;
  OptionalText sender_name;
  bool is_confirming = false;
  bool is_telling_states = false;
  std::int64_t version = 0;
  std::int64_t updated_at = 0;
  bool operator==(const SettingsRow&) const = default;
  static void describe(auto& self, auto&& column) {
    column("id", self.id);
    column("default_board_id", self.default_board_id);
    column("smtp_connection_id", self.smtp_connection_id);
    column("sender_address", self.sender_address);
    column("sender_name", self.sender_name);
    column("is_confirming", self.is_confirming);
    column("is_telling_states", self.is_telling_states);
    column("version", self.version);
    column("updated_at", self.updated_at);
  }
};

}  // namespace postroom::store
