#pragma once
// A grant as the ledger gives it, and a mail taken apart again by the rules of common/mail.

#include <doctest/doctest.h>

#include <optional>

#include "common/crypto/crypto.hpp"
#include "common/mail/address.hpp"
#include "common/mail/auto_mail.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/threading.hpp"
#include "workers/notifier/conversation/compose.hpp"

namespace postroom::notifier {

constexpr const char* installation = "0190aaaa-0000-7000-8000-00000000000a";
constexpr const char* delivery = "0190bbbb-0000-7000-8000-00000000000b";
constexpr const char* ticket = "0190cccc-0000-7000-8000-00000000000c";

inline mail::Hmac hmac() {
  return [](std::string_view data) { return crypto::hmac_sha256(std::string(32, 'k'), data); };
}

inline messages::Grant a_grant(messages::NoticeKind kind = messages::NoticeKind::confirmation) {
  messages::Grant grant;
  grant.site = {"connection", "smtps://mail.example.org", "desk@desk.example", "sealed"};
  grant.target.kind = messages::TargetKind::desk;
  grant.ticket.id = ticket;
  grant.ticket.number = 12;
  grant.ticket.title = "Printer on fire";
  grant.ticket.description = "It burns.";
  grant.ticket.url = "https://desk.example/v1/tickets/0190cccc-0000-7000-8000-00000000000c";
  grant.marker = std::string{installation} + "." + delivery;
  grant.attempt = 1;
  messages::MailNotice notice;
  notice.kind = kind;
  notice.sender_address = "desk@desk.example";
  notice.sender_name = "Acme Support";
  notice.recipient = "ann@example.org";
  notice.recipient_name = "Ann";
  notice.state = "new";
  notice.date = "2026-11-20T10:00:00.000000Z";
  grant.notice = notice;
  return grant;
}

inline std::string content_of(const messages::Grant& grant) {
  auto mail = compose(grant, hmac());
  REQUIRE_MESSAGE(mail.ok(), (mail.ok() ? "" : mail.error().text()));
  return mail->content;
}

// UTF-8 is all that we write.
inline std::string as_utf8(std::string_view bytes, std::string_view) { return std::string{bytes}; }

struct Opened {
  explicit Opened(const std::string& content) {
    const auto block = mail::split_header_block(content, 100);
    body = content.substr(block.byte_count);
    for (const auto& one : block.fields) message.headers.push_back({std::string{one.name}, mail::decode_header(one.value, as_utf8)});
    message.subject = value("Subject");
    message.from = mail::parse_addresses(raw(block, "From"), as_utf8);
    message.to = mail::parse_addresses(raw(block, "To"), as_utf8);
    message.message_id = mail::parse_message_ids(value("Message-ID")).at(0);
    message.in_reply_to = mail::parse_message_ids(value("In-Reply-To"));
    message.references = mail::parse_message_ids(value("References"));
  }
  std::string value(std::string_view name) const { return std::string{mail::header(message.headers, name)}; }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& one : message.headers) found.push_back(one.name);
    return found;
  }

  mail::Message message;
  std::string body;

 private:
  static std::string raw(const mail::HeaderBlock& block, std::string_view name) {
    for (const auto& one : block.fields) {
      if (one.name == name) return std::string{one.value};
    }
    return {};
  }
};

// Every line of a mail ends in CR LF, none is long, and there is no bare CR or LF.
inline bool has_sound_lines(std::string_view content, std::size_t longest = 998) {
  while (!content.empty()) {
    const auto end = content.find_first_of("\r\n");
    if (end == std::string_view::npos || end > longest || content.substr(end, 2) != "\r\n") return false;
    content.remove_prefix(end + 2);
  }
  return true;
}

}  // namespace postroom::notifier
