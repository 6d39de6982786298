// A real SMTP server (OpenSMTPD, where this user can run it) that delivers into real mailboxes.

#include <algorithm>

#include "tests/component/smtp/bench.hpp"
#include "tests/support/mail_servers.hpp"

using namespace postroom;
using namespace postroom::smtp;

namespace {

Request request_to(std::string url, std::string recipient) {
  Request request;
  request.url = std::move(url);
  request.greeting_name = "desk.example";
  request.sender = "desk@desk.example";
  request.recipients = {std::move(recipient)};
  request.content = "Subject: Real\r\n\r\n.\r\n..two\r\n";
  request.timeout = milliseconds{20'000};
  return request;
}

}  // namespace

TEST_CASE("a real server delivers what it was let to have, whatever way it came, and nothing else") {
  support::MailServers servers;
  Bench bench{servers.ca_file(), {"127.0.0.0/8", "::1/128"}};
  struct Way {
    std::string url;
    bool has_login;
  };
  for (const Way& way : {Way{servers.open_url(), false}, Way{servers.submission_url(), true}, Way{servers.smtps_url(), true}}) {
    CAPTURE(way.url);
    Request request = request_to(way.url, "ann@example.test");
    if (way.has_login) request.login = Login{servers.account(), servers.secret()};
    bench.on_held = [&] { bench.smtp->cancel(bench.id); };
    CHECK(bench.send(request).failure == Failure::cancelled);
    bench.on_held = [&] { bench.go_on(); };
    const Reply reply = bench.send(request);
    CAPTURE(reply.detail);
    CHECK(reply.failure == Failure::none);
    CHECK(reply.is_encrypted == way.has_login);
    CHECK(reply.has_logged_in == way.has_login);
  }
  {
    Bench gone{servers.ca_file(), {"127.0.0.0/8", "::1/128"}};  // destroyed while the server waits for the dot
    gone.on_held = [&] { gone.loop.stop(); };
    gone.send(request_to(servers.open_url(), "ann@example.test"));
  }
  const auto mails = servers.mails_of("ann@example.test", 3);
  CHECK(mails.size() == 3);
  for (const auto& mail : mails) CHECK(mail.find("\r\n\r\n.\r\n..two\r\n") != std::string::npos);

  Request wrong = request_to(servers.submission_url(), "ann@example.test");
  wrong.login = Login{servers.account(), "wrong"};
  const Reply denied = bench.send(wrong);
  CHECK(denied.failure == Failure::rejected);
  CHECK(denied.stage == Stage::login);
  CHECK(denied.code == 535);
}
