#pragma once
// A loop and a client; send() runs the loop to the end of one transaction.

#include <doctest/doctest.h>
#include <signal.h>

#include "common/smtp/client.hpp"
#include "tests/support/smtp_server.hpp"

namespace postroom::smtp {

using std::chrono::milliseconds;

struct Bench {
  explicit Bench(std::string ca_file = {}, std::vector<std::string> allow = {"127.0.0.0/8"}) {
    signal(SIGPIPE, SIG_IGN);
    auto made = make_client(loop, clock, {std::move(allow), std::move(ca_file)});
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().text()));
    smtp = std::move(*made);
  }

  // `on_held`: what the caller does then; as it stands, it lets the dot leave.
  Reply send(Request request) {
    Reply answer;
    id = smtp->send(std::move(request), [this] { ++held, on_held(); },
                    [&](Reply reply) {
                      answer = std::move(reply);
                      loop.stop();
                    });
    loop.run();
    return answer;
  }
  void go_on() { smtp->go_on(id, clock.steady() + milliseconds{2'000}); }

  loop::Loop loop;
  SystemClock clock;
  std::unique_ptr<Smtp> smtp;
  ExchangeId id = 0;
  int held = 0;
  std::function<void()> on_held = [this] { go_on(); };
};

inline Request mail_to(const support::SmtpServer& server, std::string recipient, std::string_view scheme = "smtp") {
  Request request;
  request.url = server.url(scheme);
  request.greeting_name = "desk.example";
  request.sender = "desk@desk.example";
  request.recipients = {std::move(recipient)};
  request.content = "Subject: Hello\r\n\r\nThe body.\r\n";
  request.timeout = milliseconds{3'000};
  return request;
}

}  // namespace postroom::smtp
