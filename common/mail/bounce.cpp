#include "common/mail/bounce.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/threading.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t most_recipients = 100;
constexpr std::size_t longest_reason = 500;
constexpr std::size_t most_body_bytes = 64 * 1024;  // of a report in prose that are looked at

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string one_line(std::string_view text) {
  const std::string line = without_control_bytes(text);
  return std::string{trimmed(cut_utf8(line, longest_reason))};
}

// "rfc822; a@b" → "a@b" (RFC 3464, 2.1.2); the type is optional in practice.
std::string_view after_type(std::string_view value) {
  const auto semicolon = value.find(';');
  return trimmed(semicolon == std::string_view::npos ? value : value.substr(semicolon + 1));
}

std::string address_in(std::string_view text) {
  for (const Address& one : parse_addresses(text)) {
    if (!one.addr.empty()) return one.addr;
  }
  return {};
}

BounceAction action_of(std::string_view text, std::string_view status) {
  const std::string word = to_lower_ascii(trimmed(text.substr(0, text.find_first_of(" (;"))));
  if (word == "delayed") return BounceAction::delayed;
  if (word == "delivered") return BounceAction::delivered;
  if (word == "relayed") return BounceAction::relayed;
  if (word == "expanded") return BounceAction::expanded;
  if (word.empty() && !status.empty() && status.front() == '4') return BounceAction::delayed;
  if (word.empty() && !status.empty() && status.front() == '2') return BounceAction::delivered;
  return BounceAction::failed;
}

// The first enhanced status code (RFC 3463, 2) that stands by itself in the text.
std::string status_in(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '2' && text[i] != '4' && text[i] != '5') continue;
    if (i > 0 && (is_digit(text[i - 1]) || text[i - 1] == '.')) continue;
    std::size_t end = i + 1;
    int dots = 0;
    int digits = 0;
    while (end < text.size() && (is_digit(text[end]) ||
                                 (text[end] == '.' && dots < 2 && end + 1 < text.size() && is_digit(text[end + 1])))) {
      digits = text[end] == '.' ? 0 : digits + 1;
      dots += text[end] == '.';
      if (digits > 3 || (dots == 0 && digits > 0)) break;
      ++end;
    }
    const bool ends_alone =
        end == text.size() ||
        (!is_digit(text[end]) && !(text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1])));
    if (dots == 2 && digits > 0 && ends_alone) return std::string{text.substr(i, end - i)};
  }
  return {};
}

// Fields in paragraphs: the first is about the message, the others about one recipient each (RFC 3464, 2.1).
std::vector<BouncedRecipient> recipients_of_report(std::string_view status_text) {
  std::vector<BouncedRecipient> found;
  while (!status_text.empty() && found.size() < most_recipients) {
    const std::size_t before = status_text.size();
    const HeaderBlock block = split_header_block(status_text, 100);
    if (block.byte_count == 0) {
      take_line(status_text);
      continue;
    }
    status_text.remove_prefix(std::min(block.byte_count, before));
    std::vector<Header> fields;
    for (const RawField& field : block.fields) fields.push_back({std::string{field.name}, unfolded(field.value)});
    const std::string_view final_recipient = header(fields, "Final-Recipient");
    const std::string_view original_recipient = header(fields, "Original-Recipient");
    if (final_recipient.empty() && original_recipient.empty()) continue;
    BouncedRecipient one;
    one.recipient = address_in(after_type(final_recipient));
    if (one.recipient.empty()) one.recipient = address_in(after_type(original_recipient));
    one.status = status_in(header(fields, "Status"));
    one.action = action_of(header(fields, "Action"), one.status);
    one.reason = one_line(after_type(header(fields, "Diagnostic-Code")));
    if (one.status.empty()) one.status = status_in(one.reason);
    found.push_back(std::move(one));
  }
  return found;
}

std::optional<Bounce> bounce_by_the_book(const Message& message) {
  if (message.report_type.empty() && !comes_from_a_mail_server(message)) return std::nullopt;
  Bounce bounce;
  bounce.all = recipients_of_report(message.delivery_status);
  if (bounce.all.empty()) return std::nullopt;
  bounce.first = *std::min_element(bounce.all.begin(), bounce.all.end(),
                                   [](const auto& a, const auto& b) { return a.action < b.action; });
  return bounce;
}

// --- reports in prose
// -----------------------------------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 22> failure_phrases = {"could not be delivered",
                                                              "couldn't be delivered",
                                                              "was not delivered",
                                                              "wasn't delivered to",
                                                              "delivery has failed",
                                                              "delivery failed",
                                                              "undeliverable",
                                                              "unable to deliver",
                                                              "wasn't able to deliver",
                                                              "failed to deliver",
                                                              "delivery to the following",
                                                              "permanent error",
                                                              "permanent fatal errors",
                                                              "delivery status notification",
                                                              "returned mail",
                                                              "returned to sender",
                                                              "mail delivery failure",
                                                              "mail delivery failed",
                                                              "konnte nicht zugestellt",
                                                              "unzustellbar",
                                                              "n'a pas pu",
                                                              "no se pudo entregar"};
constexpr std::array<std::string_view, 3> delay_phrases = {"not yet been delivered", "still being retried",
                                                           "warning message only"};
// Anybody says so: they tell what kind of report it is, never that it is one.
constexpr std::array<std::string_view, 3> delay_hints = {"delayed", "will be retried", "no action is required"};
constexpr std::array<std::string_view, 9> copy_marks = {
    "below this line is a copy", "this is a copy of the message", "original message follows",
    "original message headers",  "unsent message below",          "message header follows",
    "the following is a copy",   "--- original message",          "copy of your message"};

template <std::size_t N>
bool has_phrase(std::string_view lower, const std::array<std::string_view, N>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view one) { return lower.find(one) != std::string_view::npos; });
}

// Where the copy of our mail begins: what is quoted there says nothing about the failure.
std::size_t copy_begin(std::string_view lower) {
  std::size_t first = lower.size();
  for (const std::string_view mark : copy_marks) first = std::min(first, lower.find(mark));
  return first;
}

std::string recipient_in_prose(const Message& message, std::string_view text) {
  if (std::string found = address_in(header(message.headers, "X-Failed-Recipients")); !found.empty()) return found;
  const std::string sender = canonical_address(sender_of(message).addr);
  std::string_view rest = text;
  std::string anywhere;
  while (!rest.empty()) {
    const std::string_view line = trimmed(take_line(rest));
    if (line.find('@') == std::string_view::npos || line.size() > 400) continue;
    const bool is_by_itself = line.front() == '<' || line.find(' ') == std::string_view::npos;
    for (const std::string_view word : split(line, ' ')) {
      if (word.find('@') == std::string_view::npos) continue;
      std::string_view bare = word;
      while (!bare.empty() && std::string_view{"<>()[]\"':,;."}.find(bare.front()) != std::string_view::npos)
        bare.remove_prefix(1);
      while (!bare.empty() && std::string_view{"<>()[]\"':,;."}.find(bare.back()) != std::string_view::npos)
        bare.remove_suffix(1);
      if (!is_addr_spec(bare) || canonical_address(bare) == sender) continue;
      if (is_by_itself) return canonical_address(bare);
      if (anywhere.empty()) anywhere = canonical_address(bare);
    }
  }
  return anywhere;
}

// The line that holds an SMTP answer ("550 5.1.1 …", "said: 550 …") or follows the recipient.
std::string reason_in_prose(std::string_view text, std::string_view recipient) {
  std::string_view rest = text;
  std::string after_recipient;
  bool is_next = false;
  while (!rest.empty()) {
    const std::string_view line = trimmed(take_line(rest));
    if (line.empty()) continue;
    for (std::size_t i = 0; i + 3 < line.size(); ++i) {
      const bool begins = i == 0 || !(is_digit(line[i - 1]) || line[i - 1] == '.');
      if (begins && (line[i] == '5' || line[i] == '4') && is_digit(line[i + 1]) && line[i + 1] <= '5' &&
          is_digit(line[i + 2]) && (line[i + 3] == ' ' || line[i + 3] == '-')) {
        return one_line(line);
      }
    }
    if (is_next && after_recipient.empty()) after_recipient = one_line(line);
    if (!recipient.empty() && to_lower_ascii(line).find(recipient) != std::string::npos) {
      is_next = true;
      const auto colon = line.find(": ");
      if (colon != std::string_view::npos && colon + 2 < line.size())
        after_recipient = one_line(line.substr(colon + 2));
    }
  }
  return after_recipient;
}

std::string message_id_in_prose(std::string_view text, std::string_view lower) {
  const auto at = lower.find("message-id:");
  if (at == std::string_view::npos) return {};
  std::string_view rest = text.substr(at + 11);
  const auto ids = parse_message_ids(rest.substr(0, rest.find('\n', rest.find_first_not_of(" \t\r\n"))));
  return ids.empty() ? std::string{} : ids.front();
}

std::optional<Bounce> bounce_in_prose(const Message& message) {
  if (!comes_from_a_mail_server(message)) return std::nullopt;
  const std::string_view text = cut_utf8(message.body_text, most_body_bytes);
  const std::string lower = to_lower_ascii(text);
  const std::string subject = to_lower_ascii(message.subject);
  const std::string_view told = std::string_view{lower}.substr(0, copy_begin(lower));
  const auto is_of_delay = [](std::string_view lower_text) {
    return has_phrase(lower_text, delay_phrases) || has_phrase(lower_text, delay_hints);
  };
  const bool is_delay = is_of_delay(subject) ||
                        (is_of_delay(told) && !has_phrase(told, std::array{std::string_view{"permanent"}}));
  const bool is_report = has_header(message.headers, "X-Failed-Recipients") || has_phrase(told, failure_phrases) ||
                         has_phrase(subject, failure_phrases) || has_phrase(told, delay_phrases) ||
                         has_phrase(subject, delay_phrases);
  if (!is_report) return std::nullopt;
  Bounce bounce;
  bounce.first.recipient = recipient_in_prose(message, text.substr(0, told.size()));
  bounce.first.reason = reason_in_prose(text.substr(0, told.size()), bounce.first.recipient);
  bounce.first.status = status_in(bounce.first.reason);
  if (bounce.first.status.empty()) bounce.first.status = status_in(told);
  bounce.first.action = is_delay ? BounceAction::delayed : BounceAction::failed;
  bounce.original_message_id = message_id_in_prose(text, lower);
  bounce.all = {bounce.first};
  return bounce;
}

}  // namespace

std::string_view name_of(BounceAction action) {
  switch (action) {
    case BounceAction::failed:
      return "failed";
    case BounceAction::delayed:
      return "delayed";
    case BounceAction::delivered:
      return "delivered";
    case BounceAction::relayed:
      return "relayed";
    case BounceAction::expanded:
      return "expanded";
  }
  return "failed";
}

bool comes_from_a_mail_server(const Message& message) {
  if (has_header(message.headers, "X-Failed-Recipients") || has_null_sender(message)) return true;
  return is_mail_server(sender_of(message).addr);
}

std::optional<Bounce> parse_bounce(const Message& message) {
  std::optional<Bounce> bounce = bounce_by_the_book(message);
  const bool is_told_by_form =
      bounce || message.report_type == "delivery-status" || has_header(message.headers, "X-Failed-Recipients");
  if (!bounce && (message.report_type == "delivery-status" || message.report_type.empty()))
    bounce = bounce_in_prose(message);
  if (!bounce) return std::nullopt;
  const auto ids = parse_message_ids(header(message.returned_headers, "Message-ID"));
  if (!ids.empty()) bounce->original_message_id = ids.front();
  if (!is_told_by_form && bounce->original_message_id.empty()) return std::nullopt;
  return bounce;
}

}  // namespace postroom::mail
