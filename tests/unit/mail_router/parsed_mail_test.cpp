#include "workers/mail_router/parsed_mail.hpp"

#include <doctest/doctest.h>

#include "common/codec/codec.hpp"

using namespace postroom;
using namespace postroom::mail_router;

namespace {

const mail::Home home{{"install", {"desk@example.org"}}, "install.postroom", {}};

mail::Message hello() {
  mail::Message message;
  message.from = {{"Ann", "ann@example.org"}};
  message.to = {{"Desk", "desk@example.org"}, {"", "bob@example.org"}, {"no address", ""}};
  message.cc = {{"", "bob@example.org"}, {"", "carl@example.org"}};
  message.subject = "Re: printer [#17]";
  message.message_id = "id@example.org";
  message.in_reply_to = {"first@example.org"};
  message.references = {"first@example.org"};
  message.date = from_micros(1'795'168'800'000'000);
  message.body_text = "It is back.\n\nOn Monday Desk wrote:\n> Is it gone?";
  message.notes = {"a note"};
  return message;
}

messages::ParsedMail made_of(const mail::Message& message, const std::vector<blob::Ref>& blobs = {}) {
  return parsed_mail(message, mail::analyse(message, home), blobs);
}

std::string repeated(std::string_view what, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += what;
  return out;
}

std::vector<blob::Ref> blobs_of(mail::Message& message, std::size_t count, const std::string& name) {
  std::vector<blob::Ref> blobs;
  for (std::size_t i = 0; i < count; ++i) {
    message.attachments.push_back({name, name, "image/png", "cid", true, 5});
    blobs.push_back({std::string(64, 'a'), 5});
  }
  return blobs;
}

}  // namespace

TEST_CASE("a mail arrives in the message with all that it says") {
  mail::Message message = hello();
  const auto blobs = blobs_of(message, 1, "a.png");
  const auto mail = made_of(message, blobs);
  CHECK(mail.title == "Re: printer [#17]");
  CHECK(mail.sender_address == "ann@example.org");
  CHECK(mail.sender_name == "Ann");
  CHECK(mail.recipients == std::vector<std::string>{"desk@example.org", "bob@example.org", "carl@example.org"});
  CHECK(mail.date_us == 1'795'168'800'000'000);
  CHECK(mail.message_id == "id@example.org");
  CHECK(mail.in_reply_to == std::vector<std::string>{"first@example.org"});
  CHECK(mail.references == std::vector<std::string>{"first@example.org"});
  CHECK(mail.text == message.body_text);
  CHECK(mail.reply_text == "It is back.");
  REQUIRE(mail.attachments.size() == 1);
  CHECK(mail.attachments[0] == messages::ParsedAttachment{"a.png", "image/png", "cid", true, {std::string(64, 'a'), 5}});
  CHECK(mail.is_answer);
  CHECK(mail.may_be_confirmed);
  CHECK(mail.subject_number == 17);
  CHECK(mail.notes == std::vector<std::string>{"a note"});
  CHECK_FALSE(mail.bounce.has_value());
  CHECK_FALSE(mail.is_auto);
}

TEST_CASE("a machine's mail and our own say so") {
  mail::Message machine = hello();
  machine.headers = {{"Auto-Submitted", "auto-generated"}};
  const auto automatic = made_of(machine);
  CHECK(automatic.is_auto);
  CHECK_FALSE(automatic.may_be_confirmed);
  CHECK_FALSE(automatic.auto_reason.empty());
  mail::Message own = hello();
  own.headers = {{"X-Postroom-Loop", "install"}};
  CHECK(made_of(own).is_own);
  mail::Message form = hello();
  form.from = {{"", "desk@example.org"}};
  CHECK_FALSE(made_of(form).is_own);
  CHECK_FALSE(made_of(form).may_be_confirmed);
}

TEST_CASE("a bounce says whom it is about") {
  mail::Message report = hello();
  report.from = {{"", "mailer-daemon@far.example"}};
  report.content_type = "multipart/report";
  report.report_type = "delivery-status";
  report.delivery_status = "Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: 5.1.1\n";
  report.returned_headers = {{"Message-ID", "<ours@example.org>"}};
  const auto bounce = made_of(report).bounce;
  REQUIRE(bounce.has_value());
  CHECK(bounce->recipient == "bob@far.example");
  CHECK(bounce->status == "5.1.1");
  CHECK(bounce->action == "failed");
  CHECK(bounce->original_message_id == "ours@example.org");
  CHECK_FALSE(bounce->original.has_value());
}

TEST_CASE("keys are those of sender, subject and content, attachments among it") {
  mail::Message message = hello();
  const auto plain = made_of(message);
  CHECK(plain.sender_subject_key.size() == 64);
  CHECK(plain.content_key.size() == 64);
  const auto blobs = blobs_of(message, 1, "a.png");
  const auto more = made_of(message, blobs);
  CHECK(more.sender_subject_key == plain.sender_subject_key);
  CHECK(more.content_key != plain.content_key);
  message.body_text += "!";
  CHECK(made_of(message, blobs).content_key != more.content_key);
  message.subject = "Re:";
  CHECK(made_of(message, blobs).sender_subject_key.empty());
  CHECK(made_of(message, blobs).content_key.size() == 64);
}

TEST_CASE("whatever a mail holds, its message is below 1 MiB, and says what was left out") {
  struct Row {
    std::string name;
    std::function<std::vector<blob::Ref>(mail::Message&)> make;
  };
  const Row rows[] = {
      {"long text", [](mail::Message& m) { m.body_text = repeated("word ", 200'000); return std::vector<blob::Ref>{}; }},
      {"text that doubles", [](mail::Message& m) { m.body_text = repeated("\"\\\n", 90'000); return std::vector<blob::Ref>{}; }},
      {"text that is longer in JSON", [](mail::Message& m) { m.body_text = repeated("\x01", 262'144); return std::vector<blob::Ref>{}; }},
      {"wide characters", [](mail::Message& m) { m.body_text = repeated("打印机", 40'000); return std::vector<blob::Ref>{}; }},
      {"1,100 attachments", [](mail::Message& m) { return blobs_of(m, 1'100, std::string(150, 'n')); }},
      {"everything", [](mail::Message& m) {
         m.body_text = repeated("\"\\\n", 90'000);
         m.subject = repeated("\"", 64 * 1024);
         m.from[0].name = repeated("\"", 256);
         m.references.assign(50, repeated("\"", 998));
         m.in_reply_to = m.references;
         m.to.clear();
         for (int i = 0; i < 2'000; ++i) m.to.push_back({"", std::to_string(i) + repeated("x", 900) + "@example.org"});
         m.notes.assign(1'000, repeated("note ", 1'000));
         m.headers = {{"Auto-Submitted", repeated("\"", 60'000)}};
         return blobs_of(m, 1'100, repeated("\"", 150));
       }}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    mail::Message message = hello();
    const auto blobs = row.make(message);
    const auto body = encoded({"arrival", 1, made_of(message, blobs), ""});
    MESSAGE(row.name << ": " << body.size());
    CHECK(body.size() <= longest_body);
    const auto decoded = codec::decode<messages::MailParsed>(body);
    REQUIRE(decoded.ok());
    CHECK(decoded->mail->notes.size() > 1);
    CHECK(decoded->mail->text.size() > 20'000 * (message.body_text.size() > 1'000));
  }
}

TEST_CASE("should the parts be too long together, the texts give way") {
  messages::MailParsed parsed{"arrival", 1, messages::ParsedMail{}, ""};
  parsed.mail->text = repeated("word ", 300'000);
  parsed.mail->reply_text = parsed.mail->text;
  parsed.mail->title = "kept";
  const auto body = encoded(parsed);
  CHECK(body.size() <= longest_body);
  CHECK(codec::decode<messages::MailParsed>(body)->mail->title == "kept");
}
