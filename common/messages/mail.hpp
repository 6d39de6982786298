#pragma once
// mail.arrived.v1 (imap_poller → ledger), mail.parse.v1 (ledger → mail_router), mail.parsed.v1 (mail_router → ledger).

#include <cstdint>
#include <vector>

#include "common/messages/blob.hpp"

namespace postroom::messages {

enum class MailExtent { whole, header_only, none };
template <>
inline constexpr std::array enum_names<MailExtent>{std::pair{MailExtent::whole, std::string_view{"whole"}},
                                                   std::pair{MailExtent::header_only, std::string_view{"header_only"}},
                                                   std::pair{MailExtent::none, std::string_view{"none"}}};

// A mail is in the blob store. message_id = arrival id = UUIDv5(inbox, {UIDVALIDITY, UID}), also the correlation id. Sent in the order of
// UIDs; the ledger moves the cursor to `uid` when it stands at `previous_uid` or beyond.
struct MailArrived {
  static constexpr std::string_view type = "mail.arrived.v1";
  std::string inbox_id;
  std::string ticket_id;           // promised: UUIDv5(arrival id, {"ticket"})
  std::int64_t uid_validity = 0;
  std::int64_t uid = 0;
  std::int64_t previous_uid = 0;   // of the mail before it in this listing, else the cursor; 0: there is none
  MailExtent extent = MailExtent::whole;
  std::optional<BlobRef> blob;     // none: nothing could be fetched
  std::int64_t stated_size = 0;    // bytes, as the server says
  std::string trouble;             // why the extent is not whole, for a person
  std::optional<std::int64_t> received_at_us;  // INTERNALDATE
  bool operator==(const MailArrived&) const = default;
  static void describe(auto& self, auto&& field) {
    field("inbox_id", self.inbox_id);
    field("ticket_id", self.ticket_id);
    field("uid_validity", self.uid_validity);
    field("uid", self.uid);
    field("previous_uid", self.previous_uid);
    field("extent", self.extent);
    field("blob", self.blob);
    field("stated_size", self.stated_size);
    field("trouble", self.trouble);
    field("received_at_us", self.received_at_us);
  }
};

// No outside effect, so no claim: a result counts once, by arrival and parse_no.
struct MailParse {
  static constexpr std::string_view type = "mail.parse.v1";
  std::string arrival_id;
  std::int64_t parse_no = 0;
  BlobRef blob;
  std::vector<std::string> own_addresses;  // of our inboxes and senders: mails from them are our own
  bool operator==(const MailParse&) const = default;
  static void describe(auto& self, auto&& field) {
    field("arrival_id", self.arrival_id);
    field("parse_no", self.parse_no);
    field("blob", self.blob);
    field("own_addresses", self.own_addresses);
  }
};

struct ParsedAttachment {
  std::string name;          // safe to show and to store
  std::string content_type;  // type/subtype, lower case
  std::string content_id;    // without angle brackets; "" = none
  bool is_inline = false;
  BlobRef blob;
  bool operator==(const ParsedAttachment&) const = default;
  static void describe(auto& self, auto&& field) {
    field("name", self.name);
    field("content_type", self.content_type);
    field("content_id", self.content_id);
    field("is_inline", self.is_inline);
    field("blob", self.blob);
  }
};

// A conversation that one of our own signed Message-IDs names; the signature was checked.
struct SignedThread {
  std::string ticket_id;
  std::string delivery_id;  // names the recipient: compare the sender with it
  bool operator==(const SignedThread&) const = default;
  static void describe(auto& self, auto&& field) {
    field("ticket_id", self.ticket_id);
    field("delivery_id", self.delivery_id);
  }
};

// RFC 3464, or what mail servers send instead.
struct ParsedBounce {
  std::string recipient;
  std::string status;  // enhanced status code, or ""
  std::string action;  // failed | delayed | delivered | relayed | expanded
  std::string reason;
  std::string original_message_id;        // or ""
  std::optional<SignedThread> original;   // when that id is ours
  bool operator==(const ParsedBounce&) const = default;
  static void describe(auto& self, auto&& field) {
    field("recipient", self.recipient);
    field("status", self.status);
    field("action", self.action);
    field("reason", self.reason);
    field("original_message_id", self.original_message_id);
    field("original", self.original);
  }
};

struct ParsedMail {
  std::string title;           // of the ticket that it may become
  std::string subject;
  std::string sender_address;  // bare; "" when nobody could be answered
  std::string sender_name;
  std::vector<std::string> recipients;  // To and Cc, bare, the first 50
  std::optional<std::int64_t> date_us;
  std::string message_id;               // without angle brackets, or ""
  std::vector<std::string> in_reply_to;
  std::vector<std::string> references;  // oldest first
  std::string text;                     // the whole body, plain
  std::string reply_text;               // what is new in an answer
  std::vector<ParsedAttachment> attachments;
  bool is_auto = false;
  bool is_list = false;
  bool is_out_of_office = false;
  bool is_own = false;
  std::string auto_reason;
  std::optional<ParsedBounce> bounce;
  bool is_answer = false;
  std::optional<SignedThread> thread;
  std::optional<std::int64_t> subject_number;  // [#1234]: only a participant may use it
  bool may_be_confirmed = false;
  std::string sender_subject_key;  // SHA-256, hexadecimal; "" when there is no subject to compare
  std::string content_key;         // SHA-256, hexadecimal
  std::vector<std::string> notes;  // what was repaired, guessed or cut
  bool operator==(const ParsedMail&) const = default;
  static void describe(auto& self, auto&& field) {
    field("title", self.title);
    field("subject", self.subject);
    field("sender_address", self.sender_address);
    field("sender_name", self.sender_name);
    field("recipients", self.recipients);
    field("date_us", self.date_us);
    field("message_id", self.message_id);
    field("in_reply_to", self.in_reply_to);
    field("references", self.references);
    field("text", self.text);
    field("reply_text", self.reply_text);
    field("attachments", self.attachments);
    field("is_auto", self.is_auto);
    field("is_list", self.is_list);
    field("is_out_of_office", self.is_out_of_office);
    field("is_own", self.is_own);
    field("auto_reason", self.auto_reason);
    field("bounce", self.bounce);
    field("is_answer", self.is_answer);
    field("thread", self.thread);
    field("subject_number", self.subject_number);
    field("may_be_confirmed", self.may_be_confirmed);
    field("sender_subject_key", self.sender_subject_key);
    field("content_key", self.content_key);
    field("notes", self.notes);
  }
};

// Of a mail that cannot be parsed: what its first bytes say.
struct CrudeHeader {
  std::string subject;
  std::string sender_address;  // bare; "" when nobody could be answered
  std::string sender_name;
  bool is_auto = false;
  std::string auto_reason;
  bool operator==(const CrudeHeader&) const = default;
  static void describe(auto& self, auto&& field) {
    field("subject", self.subject);
    field("sender_address", self.sender_address);
    field("sender_name", self.sender_name);
    field("is_auto", self.is_auto);
    field("auto_reason", self.auto_reason);
  }
};

struct MailParsed {
  static constexpr std::string_view type = "mail.parsed.v1";
  std::string arrival_id;
  std::int64_t parse_no = 0;
  std::optional<ParsedMail> mail;  // none: it cannot be parsed
  std::string trouble;             // why, for a person
  std::optional<CrudeHeader> header;  // of one that cannot be parsed, when it has one
  bool operator==(const MailParsed&) const = default;
  static void describe(auto& self, auto&& field) {
    field("arrival_id", self.arrival_id);
    field("parse_no", self.parse_no);
    field("mail", self.mail);
    field("trouble", self.trouble);
    field("header", self.header);
  }
};

}  // namespace postroom::messages
