#include <doctest/doctest.h>

#include "tests/unit/notifier/a_grant.hpp"
#include "workers/notifier/conversation/talks.hpp"
#include "workers/notifier/conversation/verdict.hpp"

using namespace postroom;
using namespace postroom::notifier;
using messages::ReasonClass;
using smtp::Failure;
using smtp::Stage;
using worker::Step;

namespace {

const smtp::Request& request_of(const Step& step) { return std::get<worker::SmtpAsk>(std::get<worker::Ask>(step)).request; }

smtp::Reply no(Stage stage, int code, std::string text = "no") {
  smtp::Reply reply;
  reply.failure = Failure::rejected;
  reply.stage = stage;
  reply.code = code;
  reply.text = std::move(text);
  return reply;
}

enum class Verdict { defer, refuse, unknown };
std::pair<Verdict, worker::Reason> judged(const smtp::Reply& reply) {
  const Step step = verdict_on(reply);
  if (const auto* defer = std::get_if<worker::Defer>(&step)) return {Verdict::defer, *defer};
  if (const auto* refuse = std::get_if<worker::Refuse>(&step)) return {Verdict::refuse, *refuse};
  return {Verdict::unknown, std::get<worker::Unknown>(step)};
}

}  // namespace

TEST_CASE("a mail is asked for with the connection's login, and done under its own Message-ID") {
  MailTalk talk{a_grant(), "secret", hmac()};
  const Step asked = talk.begin();
  const auto& request = request_of(asked);
  CHECK(request.url == "smtps://mail.example.org");
  REQUIRE(request.login.has_value());
  CHECK(request.login->user == "desk@desk.example");
  CHECK(request.login->password == "secret");
  CHECK(request.greeting_name == "desk.example");
  CHECK(request.sender == "desk@desk.example");
  CHECK(request.recipients == std::vector<std::string>{"ann@example.org"});
  CHECK(request.content == content_of(a_grant()));

  smtp::Reply reply;
  reply.stage = Stage::final_dot;
  reply.code = 250;
  reply.text = "2.0.0 queued as 42";
  reply.may_have_arrived = true;
  const Step said = talk.next(reply);
  const auto& done = std::get<worker::Done>(said);
  CHECK(done.remote.id == compose(a_grant(), hmac())->message_id);
  CHECK(done.remote.key == "#12");
  CHECK(done.remote.url == a_grant().ticket.url);
  CHECK(done.note == "250 2.0.0 queued as 42");
}

TEST_CASE("a connection without an account logs in nowhere") {
  auto grant = a_grant();
  grant.site.account.clear();
  MailTalk talk{grant, "", hmac()};
  CHECK_FALSE(request_of(talk.begin()).login.has_value());
}

TEST_CASE("what makes no mail goes to standby before a server is called") {
  auto grant = a_grant();
  grant.notice->recipient = "nobody";
  MailTalk to_nobody{grant, "secret", hmac()};
  const Step refused = to_nobody.begin();
  CHECK(std::get<worker::Refuse>(refused).reason_class == ReasonClass::recipient_refused);
  grant = a_grant();
  grant.notice.reset();
  MailTalk nothing{grant, "secret", hmac()};
  const Step odd = nothing.begin();
  CHECK(std::get<worker::Refuse>(odd).reason_class == ReasonClass::invalid_data);
}

TEST_CASE("what a server says no to is deferred or refused, with the class that tells whose trouble it is") {
  struct Row {
    Stage stage;
    int code;
    const char* text;
    Verdict verdict;
    ReasonClass reason_class;
  };
  const Row rows[] = {{Stage::greeting, 421, "4.3.2 closing", Verdict::defer, ReasonClass::server_error},
                      {Stage::greeting, 554, "5.3.2 no", Verdict::defer, ReasonClass::server_error},
                      {Stage::hello, 550, "5.5.0 who", Verdict::defer, ReasonClass::server_error},
                      {Stage::starttls, 454, "4.7.0 no TLS", Verdict::defer, ReasonClass::protocol},
                      {Stage::login, 535, "5.7.8 wrong", Verdict::refuse, ReasonClass::credentials},
                      {Stage::login, 534, "5.7.9 too weak", Verdict::refuse, ReasonClass::credentials},
                      {Stage::login, 454, "4.7.0 away", Verdict::defer, ReasonClass::server_error},
                      {Stage::sender, 450, "4.1.8 later", Verdict::defer, ReasonClass::server_error},
                      {Stage::sender, 530, "5.7.0 log in", Verdict::refuse, ReasonClass::credentials},
                      {Stage::sender, 552, "5.3.4 too big", Verdict::refuse, ReasonClass::invalid_data},
                      {Stage::sender, 553, "5.1.8 who", Verdict::refuse, ReasonClass::invalid_data},
                      {Stage::recipient, 450, "4.2.0 greylisted", Verdict::defer, ReasonClass::recipient_refused},
                      {Stage::recipient, 452, "4.2.2 full", Verdict::defer, ReasonClass::recipient_refused},
                      {Stage::recipient, 421, "4.3.2 closing", Verdict::defer, ReasonClass::server_error},
                      {Stage::recipient, 530, "5.7.0 log in", Verdict::refuse, ReasonClass::credentials},
                      {Stage::recipient, 550, "5.1.1 unknown", Verdict::refuse, ReasonClass::recipient_refused},
                      {Stage::recipient, 554, "", Verdict::refuse, ReasonClass::recipient_refused},
                      {Stage::data, 451, "4.3.0 later", Verdict::defer, ReasonClass::server_error},
                      {Stage::data, 554, "5.5.1 no recipients", Verdict::refuse, ReasonClass::invalid_data},
                      {Stage::content, 552, "5.3.4 too big", Verdict::refuse, ReasonClass::invalid_data},
                      {Stage::held, 421, "4.4.2 timeout", Verdict::defer, ReasonClass::server_error},
                      {Stage::final_dot, 451, "4.3.1 disk full", Verdict::defer, ReasonClass::server_error},
                      {Stage::final_dot, 452, "4.2.2 mailbox full", Verdict::defer, ReasonClass::recipient_refused},
                      {Stage::final_dot, 550, "5.1.1 unknown", Verdict::refuse, ReasonClass::recipient_refused},
                      {Stage::final_dot, 554, "5.7.1 spam", Verdict::refuse, ReasonClass::invalid_data},
                      {Stage::final_dot, 554, "spam", Verdict::refuse, ReasonClass::invalid_data}};
  for (const auto& row : rows) {
    CAPTURE(name_of(row.stage));
    CAPTURE(row.code);
    const auto [verdict, why] = judged(no(row.stage, row.code, row.text));
    CHECK(verdict == row.verdict);
    CHECK(why.reason_class == row.reason_class);
    CHECK(why.http_status == row.code);
    CHECK(why.text.find(row.text) != std::string::npos);
  }
}

TEST_CASE("trouble on the way is deferred, and in doubt only behind the dot") {
  struct Row {
    Failure failure;
    ReasonClass reason_class;
    Verdict verdict = Verdict::defer;
  };
  const Row rows[] = {{Failure::dns, ReasonClass::unreachable},
                      {Failure::connect, ReasonClass::unreachable},
                      {Failure::blocked_address, ReasonClass::blocked_address},
                      {Failure::no_tls, ReasonClass::protocol},
                      {Failure::tls_certificate, ReasonClass::certificate},
                      {Failure::tls, ReasonClass::unreachable},
                      {Failure::timeout, ReasonClass::timeout},
                      {Failure::broken, ReasonClass::unreachable},
                      {Failure::protocol, ReasonClass::protocol},
                      {Failure::no_login, ReasonClass::credentials, Verdict::refuse},
                      {Failure::no_utf8, ReasonClass::recipient_refused, Verdict::refuse},
                      {Failure::refused_request, ReasonClass::invalid_data, Verdict::refuse}};
  for (const auto& row : rows) {
    CAPTURE(name_of(row.failure));
    smtp::Reply reply;
    reply.failure = row.failure;
    reply.detail = "the detail";
    const auto [verdict, why] = judged(reply);
    CHECK(verdict == row.verdict);
    CHECK(why.reason_class == row.reason_class);
    if (row.failure != Failure::timeout) CHECK(why.text.find("the detail") != std::string::npos);
    CHECK_FALSE(why.http_status.has_value());
    reply.may_have_arrived = true;
    const auto [behind, doubt] = judged(reply);
    CHECK(behind == Verdict::unknown);
    CHECK(doubt.reason_class == row.reason_class);
  }
}
