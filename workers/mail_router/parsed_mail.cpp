#include "workers/mail_router/parsed_mail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/mail/duplicate.hpp"

namespace postroom::mail_router {

namespace {

// In bytes of JSON, so that the whole stays below longest_body: two texts, attachments, ids and addresses.
constexpr std::size_t longest_text = 250'000;
constexpr std::size_t longest_attachment_list = 180'000;
constexpr std::size_t most_recipients = 50;
constexpr std::size_t most_answered = 10;
constexpr std::size_t most_notes = 50;
constexpr std::size_t longest_line = 2'000;

std::size_t json_size(char byte) {
  switch (byte) {
    case '"': case '\\': case '\n': case '\r': case '\t': case '\b': case '\f': return 2;
    default: return static_cast<unsigned char>(byte) < 0x20 ? 6 : 1;
  }
}

std::size_t json_size(std::string_view text) {
  std::size_t size = 2;
  for (const char byte : text) size += json_size(byte);
  return size;
}

// The longest prefix that takes at most `budget` bytes in JSON.
std::string_view cut_json(std::string_view text, std::size_t budget) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    size += json_size(text[i]);
    if (size > budget) return cut_utf8(text, i);
  }
  return text;
}

std::optional<messages::SignedThread> thread_of(const std::optional<mail::SignedId>& id) {
  if (!id) return std::nullopt;
  return messages::SignedThread{id->ticket_id, id->delivery_id};
}

class Maker {
 public:
  Maker(const mail::Message& message, const mail::Analysis& analysis) : message_(message), analysis_(analysis) {}

  messages::ParsedMail make(const std::vector<blob::Ref>& blobs) {
    for (const std::string& note : message_.notes) {
      if (out_.notes.size() < most_notes) out_.notes.emplace_back(cut_utf8(note, longest_line));
    }
    out_.title = analysis_.title;
    out_.subject = line(message_.subject, "The subject");
    out_.sender_address = analysis_.sender.addr;
    out_.sender_name = line(analysis_.sender.name, "The sender's name");
    take_recipients(message_.to);
    take_recipients(message_.cc);
    if (message_.date) out_.date_us = to_micros(*message_.date);
    out_.message_id = message_.message_id;
    out_.in_reply_to.assign(message_.in_reply_to.begin(), message_.in_reply_to.begin() + static_cast<std::ptrdiff_t>(std::min(message_.in_reply_to.size(), most_answered)));
    out_.references = message_.references;
    out_.text = text(message_.body_text, "The text");
    out_.reply_text = text(analysis_.text.reply, "The new text");
    take_attachments(blobs);
    take_nature();
    take_keys(blobs);
    return std::move(out_);
  }

 private:
  std::string line(std::string_view value, std::string_view what) {
    const std::string_view kept = cut_utf8(value, longest_line);
    if (kept.size() < value.size()) note(fmt::format("{} has {} bytes; {} are shown.", what, value.size(), kept.size()));
    return std::string{kept};
  }

  std::string text(std::string_view value, std::string_view what) {
    const std::string_view kept = cut_json(value, longest_text);
    if (kept.size() < value.size())
      note(fmt::format("{} has {} bytes; the first {} are shown, the mail itself is whole.", what, value.size(), kept.size()));
    return std::string{kept};
  }

  void note(std::string text) { out_.notes.push_back(std::move(text)); }

  void take_recipients(const std::vector<mail::Address>& list) {
    for (const mail::Address& one : list) {
      if (one.addr.empty() || std::ranges::find(out_.recipients, one.addr) != out_.recipients.end()) continue;
      if (out_.recipients.size() == most_recipients) return;
      out_.recipients.push_back(one.addr);
    }
  }

  void take_attachments(const std::vector<blob::Ref>& blobs) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < message_.attachments.size(); ++i) {
      const mail::Attachment& one = message_.attachments[i];
      size += 220 + json_size(one.name) + json_size(one.content_type) + json_size(one.content_id);
      if (size > longest_attachment_list) {
        note(fmt::format("It has {} attachments; {} are shown, the mail itself is whole.", message_.attachments.size(), i));
        return;
      }
      out_.attachments.push_back({one.name, one.content_type, one.content_id, one.is_inline, {blobs[i].sha256, blobs[i].size}});
    }
  }

  void take_nature() {
    const mail::AutoMail& nature = analysis_.auto_mail;
    out_.is_auto = nature.is_auto;
    out_.is_list = nature.is_list;
    out_.is_out_of_office = nature.is_out_of_office;
    out_.is_own = nature.is_own;
    out_.auto_reason = cut_utf8(nature.reason, longest_line);
    out_.is_answer = analysis_.is_answer;
    out_.thread = thread_of(analysis_.signed_thread);
    out_.subject_number = analysis_.subject_number;
    out_.may_be_confirmed = analysis_.may_be_confirmed;
    if (!analysis_.bounce) return;
    const mail::BouncedRecipient& worst = analysis_.bounce->first;
    out_.bounce = messages::ParsedBounce{worst.recipient, worst.status, std::string{mail::name_of(worst.action)}, worst.reason,
                                         analysis_.bounce->original_message_id, thread_of(analysis_.bounced_mail)};
  }

  void take_keys(const std::vector<blob::Ref>& blobs) {
    std::vector<std::string> digests;
    for (const blob::Ref& one : blobs) digests.push_back(one.sha256);
    const std::string same = mail::sender_subject_key(analysis_.sender.addr, message_.subject);
    if (!same.empty()) out_.sender_subject_key = crypto::to_hex(crypto::sha256(same));
    out_.content_key = crypto::to_hex(crypto::sha256(mail::content_key(message_, digests)));
  }

  const mail::Message& message_;
  const mail::Analysis& analysis_;
  messages::ParsedMail out_;
};

}  // namespace

messages::ParsedMail parsed_mail(const mail::Message& message, const mail::Analysis& analysis, const std::vector<blob::Ref>& blobs) {
  return Maker{message, analysis}.make(blobs);
}

// The parts are cut so that the whole fits; should they not, the texts give way, because the raw mail has them.
std::string encoded(messages::MailParsed parsed) {
  std::string body = codec::encode(parsed);
  while (body.size() > longest_body && parsed.mail && !(parsed.mail->text.empty() && parsed.mail->reply_text.empty())) {
    for (std::string* text : {&parsed.mail->text, &parsed.mail->reply_text}) *text = cut_utf8(*text, text->size() / 2);
    body = codec::encode(parsed);
  }
  return body;
}

}  // namespace postroom::mail_router
