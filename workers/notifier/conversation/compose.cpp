#include "workers/notifier/conversation/compose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/auto_mail.hpp"
#include "workers/notifier/conversation/encoding.hpp"
#include "workers/notifier/conversation/letter.hpp"

namespace postroom::notifier {

using messages::MailNotice;
using messages::NoticeKind;

namespace {

constexpr std::size_t first_references = 4, last_references = 6;
constexpr std::size_t longest_reference = 250;

// A quoted local part would need its quotes on the wire, and nobody has one.
bool can_be_written_to(std::string_view address) { return mail::is_addr_spec(address) && address.find_first_of("\"\\ ") == std::string_view::npos; }

// RFC 5322 3.3, in UTC.
std::string mail_date(WallTime when) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(when - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", days[std::chrono::weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

bool is_sound_reference(std::string_view id) {
  // "=?" would be read as an encoded-word by some.
  return id.size() <= longest_reference && id.find('@') != std::string_view::npos && id.find("=?") == std::string_view::npos &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>'; });
}

std::string in_brackets(const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& id : ids) out += fmt::format("{}<{}>", out.empty() ? "" : " ", id);
  return out;
}

// Installation and delivery of the grant's marker.
struct Origin {
  std::string_view installation;
  std::string_view delivery;
};
std::optional<Origin> origin_of(std::string_view marker) {
  const auto dot = marker.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const Origin origin{marker.substr(0, dot), marker.substr(dot + 1)};
  if (!is_uuid(origin.installation) || !is_uuid(origin.delivery)) return std::nullopt;
  return origin;
}

std::string header_of(const Mail& mail, const Letter& letter, const MailNotice& notice, WallTime date, std::string_view installation) {
  const bool is_confirmation = notice.kind == NoticeKind::confirmation;
  std::string out;
  out += field("From", mailbox(notice.sender_name, notice.sender_address));
  // The name, too, is a stranger's words as long as nobody has answered.
  out += field("To", mailbox(is_confirmation ? "" : notice.recipient_name.value_or(""), notice.recipient));
  out += field("Subject", header_text(letter.subject));
  out += field("Date", mail_date(date));
  out += field("Message-ID", fmt::format("<{}>", mail.message_id));
  if (const auto references = shown_references(notice.references); !references.empty()) {
    out += field("In-Reply-To", fmt::format("<{}>", references.back()));
    out += field("References", in_brackets(references));
  }
  out += field("Auto-Submitted", is_confirmation ? "auto-replied" : "auto-generated");
  out += field("X-Auto-Response-Suppress", "All");
  if (notice.kind != NoticeKind::comment) out += field("Precedence", "bulk");
  out += field(mail::loop_header, installation);
  return out;
}

std::string body_of(const Letter& letter, std::string_view delivery) {
  // "=_" occurs in neither encoding.
  const std::string boundary = fmt::format("=_postroom-{}", delivery);
  return fmt::format("MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"{0}\"\r\n\r\n--{0}\r\n{1}--{0}\r\n{2}--{0}--\r\n", boundary,
                     text_part("text/plain", as_plain_text(letter)), text_part("text/html", as_html(letter)));
}

}  // namespace

std::vector<std::string> shown_references(const std::vector<std::string>& references) {
  std::vector<std::string> sound;
  for (const auto& id : references) {
    if (is_sound_reference(id) && std::ranges::find(sound, id) == sound.end()) sound.push_back(id);
  }
  if (sound.size() > first_references + last_references) sound.erase(sound.begin() + first_references, sound.end() - last_references);
  return sound;
}

Result<Mail> compose(const messages::Grant& grant, const mail::Hmac& hmac) {
  const auto refused = [](std::string what) { return Error{Code::bad_message, std::move(what)}; };
  if (!grant.notice) return refused("the grant says nothing about a mail");
  const MailNotice& notice = *grant.notice;
  const auto origin = origin_of(grant.marker);
  if (!origin) return refused("the grant's marker names no delivery");
  const auto date = from_rfc3339(notice.date);
  if (!date) return refused("the notice has no date");
  if (!can_be_written_to(notice.sender_address)) return refused(fmt::format("mails cannot be sent from the address '{}'", on_one_line(notice.sender_address)));
  if (!can_be_written_to(notice.recipient)) {
    return Error{Code::not_found, fmt::format("no mail can be sent to the address '{}'", on_one_line(notice.recipient))};
  }
  if (notice.kind == NoticeKind::comment && trimmed(notice.comment_text.value_or("")).empty()) return refused("the comment has no text");

  Mail mail;
  mail.message_id = mail::signed_message_id({grant.ticket.id, std::string{origin->delivery}}, mail::message_id_host(origin->installation), hmac);
  mail.sender = notice.sender_address;
  mail.recipient = notice.recipient;
  const Letter letter = letter_about(grant.ticket, notice);
  mail.content = header_of(mail, letter, notice, *date, origin->installation) + body_of(letter, origin->delivery);
  return mail;
}

}  // namespace postroom::notifier
