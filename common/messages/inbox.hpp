#pragma once
// inbox.create.v1, inbox.update.v1, inbox.delete.v1, inbox.poll.v1, settings.update.v1 (api → ledger).
// An inbox is one folder of a mailbox (a connection of kind imap) that is polled.

#include <cstdint>

#include "common/messages/describe.hpp"

namespace postroom::messages {

// What becomes of a mail on the server once its arrival is decided. Whatever else happens, it is read with PEEK.
enum class AfterImport { keep, seen, move, erase };
template <>
inline constexpr std::array enum_names<AfterImport>{
    std::pair{AfterImport::keep, std::string_view{"keep"}}, std::pair{AfterImport::seen, std::string_view{"seen"}},
    std::pair{AfterImport::move, std::string_view{"move"}}, std::pair{AfterImport::erase, std::string_view{"delete"}}};

struct InboxCreate {
  static constexpr std::string_view type = "inbox.create.v1";
  std::string inbox_id;
  std::string actor;
  std::string name;
  std::string connection_id;  // of kind imap
  std::string address;        // its mail address: confirmations come from it, mails from it are our own
  std::string folder;         // UTF-8; "INBOX"
  std::optional<std::string> board_id;            // exclusive: every mail goes to this board
  std::optional<std::string> smtp_connection_id;  // answers go out through it; none: the installation's
  std::int64_t interval_ms = 60'000;              // between two looks, when the server cannot push
  bool is_push = true;                            // IDLE between the looks, when the server can
  AfterImport after = AfterImport::keep;
  std::optional<std::string> after_folder;        // of move
  std::int64_t duplicate_ms = 0;                  // same sender and subject within this is the same mail; 0 = off
  std::optional<std::int64_t> since_us;           // only mail received since; none: since now; 0: all there is
  bool operator==(const InboxCreate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("actor", self.actor);
    field("name", self.name);
    field("connection_id", self.connection_id);
    field("address", self.address);
    field("folder", self.folder);
    field("board_id", self.board_id);
    field("smtp_connection_id", self.smtp_connection_id);
    field("interval_ms", self.interval_ms);
    field("is_push", self.is_push);
    field("after", self.after);
    field("after_folder", self.after_folder);
    field("duplicate_ms", self.duplicate_ms);
    field("since_us", self.since_us);
  }
};

// Only what is given changes; an empty text takes an optional member away.
struct InboxUpdate {
  static constexpr std::string_view type = "inbox.update.v1";
  std::string inbox_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> name;
  std::optional<std::string> address;
  std::optional<std::string> folder;
  std::optional<std::string> board_id;
  std::optional<std::string> smtp_connection_id;
  std::optional<std::int64_t> interval_ms;
  std::optional<bool> is_push;
  std::optional<AfterImport> after;
  std::optional<std::string> after_folder;
  std::optional<std::int64_t> duplicate_ms;
  std::optional<bool> is_paused;
  bool operator==(const InboxUpdate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("name", self.name);
    field("address", self.address);
    field("folder", self.folder);
    field("board_id", self.board_id);
    field("smtp_connection_id", self.smtp_connection_id);
    field("interval_ms", self.interval_ms);
    field("is_push", self.is_push);
    field("after", self.after);
    field("after_folder", self.after_folder);
    field("duplicate_ms", self.duplicate_ms);
    field("is_paused", self.is_paused);
  }
};

// Refused (409) while mails of it wait for their decision. Its arrivals stay.
struct InboxDelete {
  static constexpr std::string_view type = "inbox.delete.v1";
  std::string inbox_id;
  std::string actor;
  std::optional<std::int64_t> expected_version;
  bool operator==(const InboxDelete&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("actor", self.actor);
    field("expected_version", self.expected_version);
  }
};

// Look now, also when it failed a moment ago.
struct InboxPoll {
  static constexpr std::string_view type = "inbox.poll.v1";
  std::string inbox_id;
  std::string actor;
  bool operator==(const InboxPoll&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("actor", self.actor);
  }
};

// Of the installation. Only what is given changes; an empty text takes a member away.
struct SettingsUpdate {
  static constexpr std::string_view type = "settings.update.v1";
  std::string actor;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> default_board_id;    // for mails that match nothing; none: standby
  std::optional<std::string> smtp_connection_id;  // for notices of tickets that no inbox brought
  std::optional<std::string> sender_address;      // their From
  std::optional<std::string> sender_name;         // the display name of all our mails
  std::optional<bool> is_confirming;              // a mail to the creator when a ticket is opened
  std::optional<bool> is_telling_states;          // and when its state changes
  bool operator==(const SettingsUpdate&) const = default;
  static void describe(auto& self, auto&& field) {
    field("actor", self.actor);
    field("expected_version", self.expected_version);
    field("default_board_id", self.default_board_id);
    field("smtp_connection_id", self.smtp_connection_id);
    field("sender_address", self.sender_address);
    field("sender_name", self.sender_name);
    field("is_confirming", self.is_confirming);
    field("is_telling_states", self.is_telling_states);
  }
};

}  // namespace postroom::messages
