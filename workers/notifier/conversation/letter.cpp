#include "workers/notifier/conversation/letter.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/mail/subject.hpp"
#include "workers/notifier/conversation/encoding.hpp"

namespace postroom::notifier {

using messages::NoticeKind;

namespace {

constexpr std::size_t longest_title = 200;
constexpr std::size_t longest_text = 200'000;

std::string title_of(const messages::TicketCard& ticket) {
  const std::string title = on_one_line(ticket.title);
  const std::string_view rest = trimmed(mail::subject_parts(title).rest);
  return std::string{cut_utf8(rest.empty() ? "(no subject)" : rest, longest_title)};
}

std::string text_of(std::string_view text) {
  const std::string plain = plain_text(text);
  const std::string_view whole = trimmed(plain);
  if (whole.size() <= longest_text) return std::string{whole};
  return std::string{cut_utf8(whole, longest_text)} + "\n[…]";
}

}  // namespace

Letter letter_about(const messages::TicketCard& ticket, const messages::MailNotice& notice) {
  const std::string title = title_of(ticket);
  const std::string sender = on_one_line(notice.sender_name);
  Letter letter;
  letter.subject = fmt::format("[#{}] Re: {}", ticket.number, title);
  const auto say = [&](std::string paragraph) {
    if (!paragraph.empty()) letter.paragraphs.push_back(std::move(paragraph));
  };
  const auto sign = [&](std::string line) {
    if (!line.empty()) letter.footer.push_back(std::move(line));
  };
  switch (notice.kind) {
    case NoticeKind::confirmation:
      say("Hello,");
      say(fmt::format("thank you for your message. It is ticket #{} now, and we will get back to you.", ticket.number));
      say("Is there something to add? Then simply reply to this mail.");
      sign(sender);
      sign(fmt::format("Ticket #{}", ticket.number));
      break;
    case NoticeKind::state:
      say("Hello,");
      say(fmt::format("the state of your ticket #{} ({}) is now: {}.", ticket.number, title, on_one_line(notice.state)));
      say(text_of(notice.note.value_or("")));
      say("To answer, simply reply to this mail.");
      sign(sender);
      sign(fmt::format("Ticket #{}: {}", ticket.number, title));
      break;
    case NoticeKind::comment:
      say(text_of(notice.comment_text.value_or("")));
      sign(on_one_line(notice.comment_author.value_or("")));
      sign(sender);
      sign(fmt::format("Ticket #{}: {}", ticket.number, title));
      break;
  }
  return letter;
}

std::string as_plain_text(const Letter& letter) {
  std::string text = fmt::format("{}\n\n", reply_mark);
  for (const auto& paragraph : letter.paragraphs) text += paragraph + "\n\n";
  text += "-- \n";
  for (const auto& line : letter.footer) text += line + "\n";
  return text;
}

std::string as_html(const Letter& letter) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html>\n<body style=\"font-family: sans-serif; font-size: 14px; color: #222222\">\n"
      "<div style=\"font-size: 11px; color: #888888\">{}</div>\n",
      html_escaped(reply_mark));
  for (const auto& paragraph : letter.paragraphs) html += fmt::format("<p>{}</p>\n", html_escaped(paragraph));
  html += "<div style=\"font-size: 12px; color: #666666; border-top: 1px solid #dddddd; padding-top: 6px\">\n";
  for (const auto& line : letter.footer) html += fmt::format("{}<br>\n", html_escaped(line));
  return html + "</div>\n</body>\n</html>\n";
}

}  // namespace postroom::notifier
