// Real servers on both sides: RabbitMQ, an SMTP server with STARTTLS and a login, a mailbox; and our own reader for what arrived.

#include <doctest/doctest.h>

#include "common/mail/decide.hpp"
#include "common/mail_sandbox/sandbox.hpp"
#include "tests/component/notifier/stage.hpp"
#include "tests/support/mail_servers.hpp"

using namespace postroom;
using namespace postroom::notifier;

namespace {

mail::Message read_by_sandbox(const std::string& bytes) {
  loop::Loop loop;
  mail_sandbox::Sandbox sandbox{loop, {}};
  std::optional<Result<mail::Message>> read;
  sandbox.submit({.mail = bytes, .on_attachment_bytes = {}, .on_restart = {}, .on_done = [&](Result<mail::Message> message) {
                    read = std::move(message);
                    loop.stop();
                  }});
  loop.run();
  REQUIRE(read->ok());
  return **read;
}

}  // namespace

TEST_CASE("mails reach a mailbox over real servers, and say to a reader what they should") {
  support::MailServers servers;
  Stage stage;
  stage.trust(servers.ca_file());
  const auto worker = stage.start_worker();
  std::vector<std::string> deliveries;
  for (const std::string& url : {servers.submission_url(), servers.smtps_url(), servers.open_url()}) {
    const bool has_login = url != servers.open_url();
    stage.site = [&stage, &servers, url, has_login] { return stage.site_of(url, has_login ? servers.account() : "", servers.secret()); };
    deliveries.push_back(stage.tell("ann@example.test"));
    stage.run_until([&] { return stage.outcome_of(deliveries.back()) != nullptr; });
    CAPTURE(stage.outcome_of(deliveries.back())->reason);
    REQUIRE(stage.outcome_of(deliveries.back())->outcome == messages::Outcome::done);
  }
  const auto mails = servers.mails_of("ann@example.test", deliveries.size());
  REQUIRE(mails.size() == deliveries.size());
  std::set<std::string> named;
  for (const auto& bytes : mails) {
    const mail::Message message = read_by_sandbox(bytes);
    CHECK(message.subject == "[#12] Re: Printer on fire: Gr\xc3\xbc\xc3\x9f" "e");
    REQUIRE(message.from.size() == 1);
    CHECK(message.from[0].addr == "desk@desk.example");
    CHECK(message.from[0].name == "Acme Support");
    CHECK(message.references == std::vector<std::string>{"first@example.org"});
    CHECK(message.date == *from_rfc3339("2026-11-20T10:00:00.000000Z"));
    CHECK(message.content_type == "multipart/alternative");
    CHECK(message.notes.empty());
    CHECK(message.attachments.empty());
    CHECK(message.body_text.find("Please press the red button.\n.\nThank you.") != std::string::npos);
    CHECK(message.body_html.find("J\xc3\xb6rg") != std::string::npos);

    mail::Home home;
    home.own.installation_id = installation;
    home.message_id_host = mail::message_id_host(installation);
    home.hmac = stage.hmac();
    CHECK(mail::analyse(message, home).auto_mail.is_own);
    const auto signed_id = mail::verify_message_id(message.message_id, home.message_id_host, home.hmac);
    REQUIRE(signed_id.has_value());
    named.insert(signed_id->delivery_id);

    // And what a person answers to it finds its ticket.
    mail::Message answer;
    answer.from = message.to;
    answer.subject = "Re: " + message.subject;
    answer.in_reply_to = {message.message_id};
    answer.body_text = "It works now.\n\nOn Fri, 20 Nov 2026 at 11:00, Acme Support <desk@desk.example> wrote:\n> Please press the red button.\n";
    const auto analysis = mail::analyse(answer, home);
    REQUIRE(analysis.signed_thread.has_value());
    CHECK(analysis.signed_thread->ticket_id == ticket);
    CHECK(analysis.subject_number == 12);
    CHECK(analysis.text.reply == "It works now.");
  }
  CHECK(named == std::set<std::string>{deliveries.begin(), deliveries.end()});

  // Neither of these servers takes an address outside ASCII: refused for good, with what to do.
  const std::string odd = stage.tell("j\xc3\xb6rg@example.test");
  stage.run_until([&] { return stage.outcome_of(odd) != nullptr; });
  CHECK(stage.outcome_of(odd)->outcome == messages::Outcome::refuse);
  CHECK(stage.outcome_of(odd)->reason_class == messages::ReasonClass::recipient_refused);
  CHECK(stage.outcome_of(odd)->reason.find("send through a server that offers it") != std::string::npos);
}
