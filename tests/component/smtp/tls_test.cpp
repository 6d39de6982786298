// Who may read along, who may be trusted, where a password may go.

#include <algorithm>

#include "tests/component/smtp/bench.hpp"

using namespace postroom;
using namespace postroom::smtp;
using support::SmtpServer;

namespace {

bool has(const std::vector<std::string>& lines, std::string_view wanted) { return std::ranges::find(lines, wanted) != lines.end(); }

Request with_login(Request request, std::string password = "secret") {
  request.login = Login{"ann", std::move(password)};
  return request;
}

}  // namespace

TEST_CASE("STARTTLS and TLS from the first byte: encrypted, checked, logged in, delivered") {
  for (const std::string tls : {"starttls", "implicit"}) {
    CAPTURE(tls);
    SmtpServer server{{"--tls", tls, "--login", "ann:secret"}};
    Bench bench{server.ca_file()};
    const std::string scheme = tls == "implicit" ? "smtps" : "smtp";
    Request request = with_login(mail_to(server, "ann@example.org", scheme));
    for (int i = 0; i < 500; ++i) request.content += std::string(900, '.') + "\r\n";
    const Reply reply = bench.send(request);
    CAPTURE(reply.detail);
    CHECK(reply.failure == Failure::none);
    CHECK(reply.is_encrypted);
    CHECK(reply.has_logged_in);
    REQUIRE(server.mails().size() == 1);
    CHECK(server.mails()[0].has_login);
    CHECK(server.mails()[0].content == request.content);

    bench.on_held = [&] { bench.smtp->cancel(bench.id); };
    CHECK(bench.send(request).failure == Failure::cancelled);
    bench.on_held = [&] { bench.go_on(); };
    request.recipients = {"hang-after-quit@example.org"};
    CHECK(bench.send(request).failure == Failure::none);
    CHECK(server.mails().size() == 2);
  }
}

TEST_CASE("wrong certificates are refused before a password or a mail leaves, and the reason is told") {
  struct Row {
    std::string certificate;
    bool trusts;
    std::string reason;
  };
  const Row rows[] = {{"good", false, "unable to get local issuer certificate"}, {"other", true, "127.0.0.1"}, {"expired", true, "expired"}};
  for (const std::string tls : {"starttls", "implicit"}) {
    for (const auto& row : rows) {
      CAPTURE(tls);
      CAPTURE(row.certificate);
      SmtpServer server{{"--tls", tls, "--certificate", row.certificate, "--login", "ann:secret"}};
      Bench bench{row.trusts ? server.ca_file() : ""};
      const Reply reply = bench.send(with_login(mail_to(server, "ann@example.org", tls == "implicit" ? "smtps" : "smtp")));
      CHECK(reply.failure == Failure::tls_certificate);
      CAPTURE(reply.detail);
      CHECK(reply.detail.find(row.reason) != std::string::npos);
      CHECK_FALSE(has(server.lines(), "AUTH"));
      CHECK(server.mails().empty());
    }
  }
}

TEST_CASE("STARTTLS that is offered is used: a refusal of it does not lead into the clear") {
  SmtpServer server{{"--tls", "starttls", "--starttls", "454 4.7.0 TLS not available", "--login", "ann:secret"}};
  Bench bench;
  const Reply reply = bench.send(with_login(mail_to(server, "ann@example.org")));
  CHECK(reply.failure == Failure::rejected);
  CHECK(reply.stage == Stage::starttls);
  CHECK_FALSE(has(server.lines(), "AUTH"));
}

TEST_CASE("TLS from the first byte where none is spoken ends at the handshake") {
  SmtpServer server;
  Bench bench;
  const Reply reply = bench.send(mail_to(server, "ann@example.org", "smtps"));
  CHECK(reply.failure == Failure::tls);
  CHECK_FALSE(reply.is_encrypted);
}

TEST_CASE("a private address that is not listed is not called at all") {
  SmtpServer server;
  Bench bench{"", {"10.0.0.0/8"}};
  const Reply reply = bench.send(mail_to(server, "ann@example.org"));
  CHECK(reply.failure == Failure::blocked_address);
  CHECK(reply.detail.find("127.0.0.1") != std::string::npos);
  CHECK(server.log().empty());
  Request by_name = mail_to(server, "ann@example.org");
  by_name.url.replace(by_name.url.find("127.0.0.1"), 9, "localhost");
  CHECK(bench.send(by_name).failure == Failure::blocked_address);
  CHECK(server.log().empty());
}

TEST_CASE("without TLS a password goes only to a listed address whose server offers none") {
  SmtpServer server{{"--login", "ann:secret"}};
  Bench bench;
  const Reply reply = bench.send(with_login(mail_to(server, "ann@example.org")));
  CHECK(reply.failure == Failure::none);
  CHECK(reply.has_logged_in);
  CHECK_FALSE(reply.is_encrypted);
}

TEST_CASE("a wrong password is no at the login; a server that cannot look it up says later") {
  SmtpServer server{{"--login", "ann:secret"}};
  Bench bench;
  const Reply wrong = bench.send(with_login(mail_to(server, "ann@example.org"), "wrong"));
  CHECK(wrong.failure == Failure::rejected);
  CHECK(wrong.stage == Stage::login);
  CHECK(wrong.code == 535);
  CHECK(wrong.offers_login);
  CHECK(wrong.detail.find("wrong") == std::string::npos);
  SmtpServer busy{{"--login", "ann:secret", "--auth", "454 4.7.0 directory is away"}};
  const Reply later = bench.send(with_login(mail_to(busy, "ann@example.org")));
  CHECK(later.failure == Failure::rejected);
  CHECK(later.stage == Stage::login);
  CHECK(later.code == 454);
}

TEST_CASE("where no login is offered none is tried") {
  SmtpServer server;
  Bench bench;
  const Reply reply = bench.send(with_login(mail_to(server, "ann@example.org")));
  CHECK(reply.failure == Failure::none);
  CHECK_FALSE(reply.offers_login);
  CHECK_FALSE(reply.has_logged_in);
}

TEST_CASE("a trial logs in, names the sender and leaves") {
  SmtpServer server{{"--tls", "starttls", "--login", "ann:secret"}};
  Bench bench{server.ca_file()};
  Request trial = with_login(mail_to(server, ""));
  trial.recipients.clear();
  trial.content.clear();
  const Reply good = bench.send(trial);
  CAPTURE(good.detail);
  CHECK(good.failure == Failure::none);
  CHECK(good.has_logged_in);
  CHECK(good.is_encrypted);
  CHECK(has(server.lines(), "MAIL desk@desk.example"));
  CHECK_FALSE(has(server.lines(), "DATA"));
  CHECK(bench.held == 0);

  trial.sender = "50%20percent%0d%0aRCPT@desk.example";  // libcurl would decode it
  CHECK(bench.send(trial).failure == Failure::none);
  CHECK(has(server.lines(), "MAIL 50%20percent%0d%0aRCPT@desk.example"));

  trial.sender = "";
  CHECK(bench.send(trial).failure == Failure::none);
  CHECK(has(server.lines(), "NOOP"));

  trial.sender = "sender-553@desk.example";
  const Reply refused = bench.send(trial);
  CHECK(refused.failure == Failure::rejected);
  CHECK(refused.stage == Stage::sender);
  CHECK(refused.code == 553);
  CHECK(server.mails().empty());
}
