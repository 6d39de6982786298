#pragma once
// A mail as plain values: what the sandbox hands out and every rule of this folder reads. All text is valid UTF-8.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"

namespace postroom::mail {

// Bytes in the named charset → UTF-8. An empty or unknown label means: guess. Never fails; what cannot be read becomes
// U+FFFD.
using Charset = std::function<std::string(std::string_view bytes, std::string_view label)>;

struct Address {
  std::string name;  // display name, decoded; may claim anything
  std::string addr;  // addr-spec with the domain in lower case; empty when there is none that could be written to

  bool operator==(const Address&) const = default;
};

// One field of the header: unfolded, decoded, without control bytes.
struct Header {
  std::string name;  // as written
  std::string value;

  bool operator==(const Header&) const = default;
};

struct Attachment {
  std::string name;           // safe to show and to store, see file_name.hpp
  std::string original_name;  // as the mail says; may be empty
  std::string content_type;   // type/subtype, lower case
  std::string content_id;     // without angle brackets; inline images are found by it
  bool is_inline = false;
  std::uint64_t size = 0;  // bytes, decoded

  bool operator==(const Attachment&) const = default;
};

struct Message {
  std::string subject;
  std::vector<Address> from;
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> reply_to;
  std::optional<WallTime> date;  // none: missing, unreadable or absurd; use the time of arrival
  std::string message_id;        // without angle brackets; empty: none
  std::vector<std::string> in_reply_to;
  std::vector<std::string> references;  // oldest first, the last 50
  std::string body_text;  // what a person would read, plain; made from the HTML when there is no plain part
  std::string body_html;  // as sent, capped; never to be shown in our own origin
  std::vector<Attachment> attachments;
  std::vector<Header> headers;           // of the mail itself
  std::string content_type;              // of the whole mail, type/subtype
  std::string report_type;               // of a multipart/report
  std::string delivery_status;           // the text of message/delivery-status (RFC 3464)
  std::vector<Header> returned_headers;  // of the mail that a report gives back
  std::vector<std::string> notes;        // what was repaired, guessed or cut, for people

  bool operator==(const Message&) const = default;
};

// The value of the first field of that name (ASCII case does not matter), or empty.
std::string_view header(const std::vector<Header>& headers, std::string_view name);
bool has_header(const std::vector<Header>& headers, std::string_view name);

// Return-Path: <>, as reports and automatic answers have it.
bool has_null_sender(const Message& message);

// Who wrote it: the first usable address of From, Sender, Reply-To, Return-Path; nullptr-like empty addr when there is
// none.
Address sender_of(const Message& message);

bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII

}  // namespace postroom::mail
