#pragma once
// What a decision asks to see (Needs), and what it is shown (State). The loader follows the references: a delivery comes with its ticket, board,
// connection, destination, item and objects; an item with its subject.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/mail/route.hpp"
#include "common/messages/mail.hpp"
#include "common/messages/standby.hpp"
#include "common/store/rows.hpp"

namespace postroom::ledger {

using OptionalId = std::optional<std::string>;

// What a parsed mail is looked up by.
struct MailTrace {
  std::string message_id;
  std::string content_key;
  std::string sender_subject_key;
  std::string sender_address;           // canonical; "" = none
  std::vector<std::string> answered;    // Message-IDs, the nearest first
  std::optional<messages::SignedThread> thread;
  std::optional<std::int64_t> subject_number;
  OptionalId bounced_delivery;          // whose report it is: its mail has our signature
};

struct Needs {
  OptionalId board_id;
  OptionalId board_name;
  OptionalId connection_id;       // with its destination
  OptionalId connection_name;
  OptionalId arrival_id;          // with its item and ticket
  OptionalId ticket_id;
  OptionalId delivery_id;
  OptionalId standby_id;
  OptionalId subject_id;          // items of this subject: the pending one, and how often it was replayed
  OptionalId remote_id;           // who owns this object of the delivery's connection
  OptionalId test_id;
  std::optional<messages::StandbyFilter> filter;  // how many open items match
  bool board_usage = false;
  bool connection_usage = false;
  bool connection_past = false;    // whether anything was ever meant for it
  bool ticket_number = false;

  // Mail.
  std::int64_t now = 0;            // set by whoever loads: what counts as the last hour
  bool settings = false;
  bool own_addresses = false;
  OptionalId inbox_id;
  OptionalId mailbox_id;           // that a mail came by
  OptionalId mail_id;              // arrival id of a mail, with its mailbox
  std::string mail_blob;           // of the mail arriving in `mailbox_id`: who has the same bytes
  std::optional<MailTrace> trace;  // where the mail belongs, with the boards
  bool boards = false;             // without more of where it belongs
  bool notice = false;             // all that a notice about the ticket hangs on
  OptionalId notice_recipient;     // of a ticket that is not there yet

  // Mailboxes.
  OptionalId inbox_name;
  bool account_inboxes = false;    // of all connections with the account of the connection in hand, or with `account`
  OptionalId account;
  OptionalId smtp_connection_id;   // that an inbox is to answer by
  bool connection_inboxes = false; // that `connection_id` leads to
  bool inbox_references = false;   // of `inbox_id`: the board and the connection for answers that it names, unless others are asked for
  bool inbox_usage = false;        // whether mails of `inbox_id` wait for their decision
  bool lease = false;              // of `inbox_id`: its connection, what is to be done there, which mails are suspect
  std::vector<std::string> chore_ids;  // that a worker reports on
};

// The boards, as rows and as routing sees them, in the order of their making.
struct Boards {
  std::vector<store::BoardRow> rows;
  std::vector<mail::RoutedBoard> routed;
};

// Mails that were already meant for one recipient within the last hour.
struct RecentMails {
  std::int64_t count = 0;
  std::int64_t oldest_at = 0;
};

// The ticket that a mail answers, as far as the records tell.
struct FoundThread {
  enum class By { signed_id, references, subject_number };
  store::TicketRow ticket;
  By by = By::references;
  bool is_participant = false;
};

struct AccountInbox {
  store::MailInboxRow inbox;
  store::ConnectionRow connection;
};

struct State {
  std::optional<store::BoardRow> board;             // asked for, or the delivery's ticket's
  std::optional<store::BoardRow> board_named;
  std::optional<store::ConnectionRow> connection;
  std::optional<store::DestinationRow> destination;
  std::optional<store::ConnectionRow> connection_named;
  std::optional<store::ArrivalRow> arrival;
  std::optional<store::TicketRow> ticket;
  std::optional<store::DeliveryRow> delivery;
  std::optional<store::StandbyRow> item;            // asked for, or the delivery's or arrival's
  std::optional<store::StandbyRow> pending_item;    // of the subject, waiting for a replay
  std::int64_t subject_retries = 0;                 // highest replay number of the subject
  std::vector<store::ExternalTicketRow> externals;  // made by the delivery
  std::optional<store::ExternalTicketRow> remote_owner;
  std::optional<store::RemoteMarkRow> mark;         // of the delivery's connection, for the Jira project of its target
  std::optional<store::ConnectionTestRow> test;
  std::optional<store::InboxRow> test_command;
  std::int64_t matching_items = 0;
  bool is_board_used = false;
  bool is_connection_used = false;
  bool has_connection_past = false;
  std::int64_t last_ticket_number = 0;

  // What a notice about `ticket` hangs on.
  store::SettingsRow settings;
  std::optional<store::ConnectionRow> smtp;    // the inbox's, else the settings'
  std::optional<store::MailInboxRow> inbox;    // that brought the ticket, or that was asked for
  std::optional<store::MailRow> origin;        // the mail that became the ticket
  std::vector<std::string> thread_ids;         // Message-IDs of the conversation so far, oldest first
  RecentMails recent_mails;                    // to the ticket's creator
  std::vector<std::string> own_addresses;      // canonical: of our inboxes and senders

  // The mail in hand.
  std::optional<store::MailRow> mail;
  std::optional<store::MailInboxRow> mailbox;      // that it came by; none: deleted
  std::optional<store::MailRow> same_bytes;        // an earlier arrival of the same bytes in the same mailbox
  std::optional<store::MailRow> same_content;      // with its Message-ID and content
  std::optional<store::MailRow> same_sender_subject;  // within the mailbox's threshold
  std::optional<store::MailRow> same_message_id;   // with other content
  std::optional<FoundThread> thread;
  bool may_answer_undecided = false;               // no thread yet, but a mail that came before may be what it answers
  std::optional<store::DeliveryRow> bounced;       // the mail of ours that a report is about
  std::optional<store::TicketRow> bounced_ticket;
  std::shared_ptr<const Boards> boards;

  // Mailboxes.
  std::optional<store::MailInboxRow> inbox_named;
  std::vector<AccountInbox> account_inboxes;          // they may lead to one mailbox, or to several hosts' ones of one name
  std::optional<store::ConnectionRow> smtp_asked;
  std::vector<store::MailInboxRow> connection_inboxes;
  bool is_inbox_used = false;
  std::vector<store::InboxChoreRow> chores;           // that wait, those that were carried least often first
  std::vector<store::InboxChoreRow> reported_chores;
  std::vector<store::InboxSuspectRow> suspects;

  // The mail that is to be sent: a delivery of kind mail.
  std::int64_t last_mail_seq = 0;                     // of the ticket's mails
  RecentMails sent_mails;                             // to its recipient, sent within the last hour or on their way
  std::optional<store::DeliveryRow> mail_before;      // unfinished, of the same ticket to the same recipient: it goes first
  std::optional<store::DeliveryRow> mail_after;       // that waits for this one
};

}  // namespace postroom::ledger
