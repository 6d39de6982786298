// Whole mails of any content, through analysis, routing, decision and explanation: bounded, valid, always with a reason.
#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/duplicate.hpp"
#include "common/mail/explain.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

namespace {

mail::ExplainContext setting() {
  mail::ExplainContext context;
  context.home = {{"install", {"desk@example.org"}}, "desk.example", [](std::string_view) { return std::string(32, '\x5a'); }};
  context.boards = {{"b1", "Printers", true, {"printer", "hr", "纸"}}, {"b2", "Old", false, {"fax"}}};
  context.default_board_id = "b1";
  return context;
}

// The bytes shared out over the members by lines; the rest is the body.
mail::Message message_of(std::string_view text) {
  const auto next = [&] {
    const auto end = text.find('\n');
    std::string part = to_valid_utf8(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
  };
  mail::Message message;
  message.subject = next();
  message.from = mail::parse_addresses(next());
  message.to = mail::parse_addresses(next());
  message.message_id = next();
  message.in_reply_to = mail::parse_message_ids(next());
  message.references = mail::parse_message_ids(next());
  message.headers = {{"Auto-Submitted", next()}, {"List-Id", next()}, {"X-Postroom-Loop", next()}};
  message.report_type = next();
  message.attachments = {{next(), next(), next(), next(), false, text.size()}};
  message.notes = {next()};
  message.body_text = to_valid_utf8(text);
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mail::ExplainContext context = setting();
  const mail::Explanation told = mail::explain("file", message_of(fuzz::text(data, size)), context);
  fuzz::require(!told.decision.why.empty());
  fuzz::require(!told.analysis.title.empty() && told.analysis.title.size() <= 255 && is_valid_utf8(told.analysis.title));
  fuzz::require(!told.analysis.auto_mail.is_auto || !told.analysis.may_be_confirmed);
  fuzz::require(!told.decision.is_confirmed || told.decision.verdict == mail::Verdict::ticket);
  const std::string json = mail::to_json(told);
  fuzz::require(is_valid_utf8(json) && !has_control_bytes(json) && json.starts_with("{\"file\":\"file\"") && json.ends_with("}"));
  const std::string text = mail::to_text(told);
  fuzz::require(text.find('\x1b') == std::string::npos && text.find('\r') == std::string::npos);
  const std::string key = mail::sender_subject_key(told.analysis.sender.addr, told.message.subject);
  fuzz::require(key.empty() || key.starts_with("sender+subject v1\n"));  // none: a mail without a subject is like no other
  fuzz::require(!mail::content_key(told.message, {}).empty());
  return 0;
}
