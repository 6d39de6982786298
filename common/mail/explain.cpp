#include "common/mail/explain.hpp"

#include <fmt/format.h>

#include "common/base/clock.hpp"
#include "common/base/text.hpp"

namespace postroom::mail {

namespace {

std::string quoted(std::string_view text) {
  return "\"" + json_escaped(text) + "\"";
}
std::string quoted_or_null(std::string_view text) {
  return text.empty() ? "null" : quoted(text);
}
std::string_view word(bool value) {
  return value ? "true" : "false";
}

template <class List, class ToText>
std::string array(const List& list, ToText to_text_of) {
  std::string out = "[";
  for (const auto& one : list) {
    if (out.size() > 1) out.push_back(',');
    out += to_text_of(one);
  }
  return out + "]";
}

std::vector<std::string> bare_addresses(const std::vector<Address>& list) {
  std::vector<std::string> bare;
  for (const Address& one : list) {
    if (!one.addr.empty()) bare.push_back(one.addr);
  }
  return bare;
}

// Seconds are all that a Date header has.
std::string date_text(WallTime date) {
  std::string text = to_rfc3339(date);
  return text.substr(0, 19) + "Z";
}

std::string bounce_json(const std::optional<Bounce>& bounce) {
  if (!bounce) return "null";
  return fmt::format(R"({{"recipient":{},"status":{},"action":{},"reason":{}}})",
                     quoted_or_null(bounce->first.recipient), quoted_or_null(bounce->first.status),
                     quoted(name_of(bounce->first.action)), quoted(bounce->first.reason));
}

// For a terminal: nothing that moves the cursor.
std::string shown(std::string_view text, std::size_t byte_count) {
  std::string out;
  for (const char c : cut_utf8(text, byte_count))
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  return out;
}

std::string indented(std::string_view text) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) out += fmt::format("    {}\n", shown(line, 400));
  return out;
}

}  // namespace

Explanation explain(std::string_view file, Result<Message> parsed, const ExplainContext& context) {
  Explanation result;
  result.file = file;
  if (!parsed) {
    result.decision.verdict = Verdict::unparsable;
    result.decision.why = parsed.error().what();
    return result;
  }
  result.message = std::move(parsed.value());
  result.analysis = analyse(result.message, context.home);
  const RoutedInbox inbox = context.inbox_of ? context.inbox_of(result.message) : context.inbox;
  result.route = route(inbox, result.message.subject, context.boards, context.default_board_id);
  Known known = context.known ? context.known(result.message, result.analysis) : Known{};
  if (!context.known) {
    known.reported = result.analysis.bounced_mail ? Reported::ours : Reported::unknown;
    if (result.analysis.signed_thread)
      known.thread = KnownThread{result.analysis.signed_thread->ticket_id, ThreadedBy::signed_id, false};
  }
  result.decision = decide(result.analysis, known, result.route);
  return result;
}

std::string to_json(const Explanation& explanation) {
  const Message& mail = explanation.message;
  const Analysis& analysis = explanation.analysis;
  const bool is_ticket = explanation.decision.verdict == Verdict::ticket;
  std::string out = fmt::format(
      R"({{"file":{},"subject":{},"from":{},"to":{},"date":{},"message_id":{},"in_reply_to":{},"references":{})",
      quoted(explanation.file), quoted(mail.subject), quoted_or_null(analysis.sender.addr),
      array(bare_addresses(mail.to), quoted), mail.date ? quoted(date_text(*mail.date)) : "null",
      quoted_or_null(mail.message_id),
      quoted_or_null(mail.in_reply_to.empty() ? std::string_view{} : mail.in_reply_to.front()),
      array(mail.references, quoted));
  out += fmt::format(R"(,"body_text":{},"reply_text":{},"attachments":{})", quoted(mail.body_text),
                     quoted(analysis.text.reply), array(mail.attachments, [](const Attachment& one) {
                       return fmt::format(R"({{"name":{},"size":{},"content_type":{}}})", quoted(one.name), one.size,
                                          quoted(one.content_type));
                     }));
  out += fmt::format(R"(,"auto":{},"auto_reason":{},"bounce":{},"list":{},"verdict":{},"board":{},"why":{}}})",
                     word(analysis.auto_mail.is_auto), quoted_or_null(analysis.auto_mail.reason),
                     bounce_json(analysis.bounce), word(analysis.auto_mail.is_list),
                     quoted(name_of(explanation.decision.verdict)),
                     is_ticket ? quoted(explanation.route.board_name) : "null", quoted(explanation.decision.why));
  return out;
}

std::string to_text(const Explanation& explanation) {
  const Message& mail = explanation.message;
  const Analysis& analysis = explanation.analysis;
  std::string out = fmt::format("{}\n  verdict      {}: {}\n", shown(explanation.file, 400),
                                name_of(explanation.decision.verdict), shown(explanation.decision.why, 600));
  if (explanation.decision.verdict == Verdict::unparsable) return out;
  if (explanation.decision.verdict == Verdict::ticket)
    out += fmt::format("  board        {}\n", shown(explanation.route.board_name, 200));
  out += fmt::format("  title        {}\n  from         {} {}\n", shown(analysis.title, 300),
                     shown(analysis.sender.addr, 300), shown(analysis.sender.name, 200));
  for (const std::string& to : bare_addresses(mail.to)) out += fmt::format("  to           {}\n", shown(to, 300));
  if (mail.date) out += fmt::format("  date         {}\n", date_text(*mail.date));
  if (!mail.message_id.empty()) out += fmt::format("  message id   {}\n", shown(mail.message_id, 300));
  if (analysis.auto_mail.is_auto) out += fmt::format("  automatic    {}\n", shown(analysis.auto_mail.reason, 300));
  for (const Attachment& one : mail.attachments)
    out +=
        fmt::format("  attachment   {} ({}, {} bytes)\n", shown(one.name, 200), shown(one.content_type, 100), one.size);
  for (const std::string& note : mail.notes) out += fmt::format("  note         {}\n", shown(note, 300));
  out += "  new text\n" + indented(cut_utf8(analysis.text.reply, 4'000));
  if (!analysis.text.quoted.empty()) out += fmt::format("  quoted       {} bytes\n", analysis.text.quoted.size());
  return out;
}

}  // namespace postroom::mail
