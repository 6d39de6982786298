#include <doctest/doctest.h>

#include "workers/notifier/conversation/talks.hpp"

using namespace postroom;
using namespace postroom::notifier;
using messages::ReasonClass;
using smtp::Failure;
using smtp::Stage;

namespace {

TestTalk a_test(std::string account = "desk@desk.example") {
  messages::NotifierTest test;
  test.test_id = "test-1";
  test.site = {"connection", "smtp://mail.example.org", std::move(account), "sealed"};
  return {std::move(test), "secret"};
}

smtp::Reply a_reply(Failure failure = Failure::none, Stage stage = Stage::sender, int code = 250) {
  smtp::Reply reply;
  reply.failure = failure;
  reply.stage = stage;
  reply.code = code;
  reply.text = "the server's words";
  reply.detail = "the detail";
  reply.remote_address = "192.0.2.1";
  reply.is_encrypted = true;
  reply.offers_login = true;
  reply.has_logged_in = true;
  return reply;
}

worker::Tested tested(TestTalk talk, const smtp::Reply& reply) { return std::get<worker::Tested>(talk.next(reply)); }

std::string passed_checks(const worker::Tested& result) {
  std::string names;
  for (const auto& one : result.checks) names += (one.passed ? "+" : "-") + one.name + " ";
  return names;
}

}  // namespace

TEST_CASE("a trial names the account's address, sends nothing, and passes check by check") {
  const worker::TestStep asked = a_test().begin();
  const auto& request = std::get<worker::SmtpAsk>(std::get<worker::Ask>(asked)).request;
  CHECK(request.recipients.empty());
  CHECK(request.content.empty());
  CHECK(request.sender == "desk@desk.example");
  CHECK(request.login->password == "secret");
  const auto result = tested(a_test(), a_reply());
  CHECK(passed_checks(result) == "+reach +certificate +log in +sender ");
  CHECK(result.reason_class == ReasonClass::none);
  CHECK(result.checks[1].detail.empty());
}

TEST_CASE("an account that is no address names no sender") {
  const worker::TestStep asked = a_test("ann").begin();
  const auto& request = std::get<worker::SmtpAsk>(std::get<worker::Ask>(asked)).request;
  CHECK(request.sender.empty());
  CHECK(request.greeting_name == "localhost");
  CHECK(passed_checks(tested(a_test("ann"), a_reply())) == "+reach +certificate +log in ");
}

TEST_CASE("what is missing though it passes is said") {
  auto reply = a_reply();
  reply.is_encrypted = reply.offers_login = reply.has_logged_in = false;
  const auto result = tested(a_test(), reply);
  CHECK(passed_checks(result) == "+reach +certificate +log in +sender ");
  CHECK(result.checks[1].detail.find("not encrypted") != std::string::npos);
  CHECK(result.checks[2].detail.find("asks for no login") != std::string::npos);
  CHECK(tested(a_test(""), a_reply()).checks[2].detail.find("no account") != std::string::npos);
}

TEST_CASE("every failure is told at the check that it belongs to, and what passed before stays passed") {
  struct Row {
    smtp::Reply reply;
    const char* checks;
    ReasonClass reason_class;
  };
  const Row rows[] = {{a_reply(Failure::dns, Stage::connecting, 0), "-reach ", ReasonClass::unreachable},
                      {a_reply(Failure::connect, Stage::connecting, 0), "-reach ", ReasonClass::unreachable},
                      {a_reply(Failure::blocked_address, Stage::connecting, 0), "-reach ", ReasonClass::blocked_address},
                      {a_reply(Failure::timeout, Stage::connecting, 0), "-reach ", ReasonClass::timeout},
                      {a_reply(Failure::protocol, Stage::greeting, 0), "-reach ", ReasonClass::protocol},
                      {a_reply(Failure::rejected, Stage::greeting, 554), "-reach ", ReasonClass::server_error},
                      {a_reply(Failure::refused_request, Stage::connecting, 0), "-reach ", ReasonClass::invalid_data},
                      {a_reply(Failure::tls, Stage::connecting, 0), "+reach -certificate ", ReasonClass::unreachable},
                      {a_reply(Failure::tls_certificate, Stage::starttls, 220), "+reach -certificate ", ReasonClass::certificate},
                      {a_reply(Failure::no_tls, Stage::hello, 250), "+reach -certificate ", ReasonClass::protocol},
                      {a_reply(Failure::rejected, Stage::starttls, 454), "+reach -certificate ", ReasonClass::protocol},
                      {a_reply(Failure::no_login, Stage::hello, 250), "+reach +certificate -log in ", ReasonClass::credentials},
                      {a_reply(Failure::rejected, Stage::login, 535), "+reach +certificate -log in ", ReasonClass::credentials},
                      {a_reply(Failure::timeout, Stage::login, 0), "+reach +certificate -log in ", ReasonClass::timeout},
                      {a_reply(Failure::rejected, Stage::sender, 553), "+reach +certificate +log in -sender ", ReasonClass::invalid_data}};
  for (const auto& row : rows) {
    CAPTURE(row.checks);
    const auto result = tested(a_test(), row.reply);
    CHECK(passed_checks(result) == row.checks);
    CHECK(result.reason_class == row.reason_class);
    CHECK_FALSE(result.summary.empty());
    CHECK(result.summary.find("secret") == std::string::npos);
  }
}

TEST_CASE("who says nothing at an smtp:// port may be waiting for TLS, and that is said") {
  auto reply = a_reply(Failure::timeout, Stage::connecting, 0);
  CHECK(tested(a_test(), reply).summary.find("smtps://") == std::string::npos);
  reply.is_silent = true;
  CHECK(tested(a_test(), reply).summary.find("then the address begins with smtps://") != std::string::npos);
}
