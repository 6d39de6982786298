// Mail over a real connection: what arrives, what does not, and what is said about it.

#include <algorithm>

#include "tests/component/smtp/bench.hpp"

using namespace postroom;
using namespace postroom::smtp;
using support::SmtpServer;
using std::chrono::seconds;

namespace {
bool has(const std::vector<std::string>& lines, std::string_view wanted) { return std::ranges::find(lines, wanted) != lines.end(); }
}  // namespace

TEST_CASE("a mail arrives once, byte by byte, and is told with the server's words") {
  SmtpServer server;
  Bench bench;
  Request request = mail_to(server, "ann@example.org");
  request.content = "Subject: Dots\r\n\r\n.\r\n..two\r\nend.\r\n.\r\n\r\n";
  const Reply reply = bench.send(request);
  CAPTURE(reply.detail);
  CHECK(reply.failure == Failure::none);
  CHECK(reply.code == 250);
  CHECK(reply.text == "2.0.0 OK, queued as 42");
  CHECK(reply.stage == Stage::final_dot);
  CHECK(reply.may_have_arrived);
  CHECK(reply.remote_address == "127.0.0.1");
  CHECK(bench.held == 1);
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0].content == request.content);
  CHECK(server.mails()[0].sender == "desk@desk.example");
  CHECK(server.mails()[0].recipients == std::vector<std::string>{"ann@example.org"});
  CHECK(has(server.lines(), "EHLO desk.example"));
  CHECK(has(server.lines(), "MAIL desk@desk.example SIZE=" + std::to_string(request.content.size())));
  CHECK(server.comes_to_say("QUIT"));
}

TEST_CASE("a large mail of long lines arrives as it is") {
  SmtpServer server;
  Bench bench;
  Request request = mail_to(server, "ann@example.org");
  request.content = "Subject: Large\r\n\r\n";
  for (int i = 0; i < 900; ++i) request.content += std::string(990, '.') + "\r\n";
  CHECK(bench.send(request).failure == Failure::none);
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0].content == request.content);
}

TEST_CASE("held: the server has everything but the dot, waits as long as the caller thinks, and goes on") {
  SmtpServer server;
  Bench bench;
  loop::Timer later{bench.loop, [&] {
                      CHECK(server.mails().empty());
                      CHECK_FALSE(bench.smtp->may_have_arrived(bench.id));
                      bench.go_on();
                    }};
  bench.on_held = [&] { later.after(milliseconds{400}); };
  CHECK(bench.send(mail_to(server, "ann@example.org")).failure == Failure::none);
  CHECK(server.mails().size() == 1);
}

TEST_CASE("cancelled while it is held: the server never sees a final dot") {
  SmtpServer server;
  Bench bench;
  bench.on_held = [&] { bench.smtp->cancel(bench.id); };
  const Reply reply = bench.send(mail_to(server, "ann@example.org"));
  CHECK(reply.failure == Failure::cancelled);
  CHECK_FALSE(reply.may_have_arrived);
  CHECK(reply.stage == Stage::held);
  CHECK(bench.send(mail_to(server, "bob@example.org")).failure == Failure::cancelled);
  bench.on_held = [&] { bench.go_on(); };
  CHECK(bench.send(mail_to(server, "carl@example.org")).failure == Failure::none);  // and the next one is unharmed
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0].recipients[0] == "carl@example.org");
  CHECK(server.count("cut") == 2);
}

TEST_CASE("a client that is destroyed while a mail is held, or half sent, sends no final dot") {
  SmtpServer server;
  {
    Bench bench;
    bench.on_held = [&] { bench.loop.stop(); };
    bench.send(mail_to(server, "ann@example.org"));
  }
  {
    Bench bench;
    Request half = mail_to(server, "bob@example.org");
    for (int i = 0; i < 20'000; ++i) half.content += std::string(990, 'x') + "\r\n";  // more than sockets hold
    const auto stop_when_under_way = [&] { return has(server.lines(), "DATA"); };
    loop::Timer look{bench.loop, [&] { bench.loop.stop(); }};
    bench.id = bench.smtp->send(half, [] {}, [](Reply) {});
    while (!stop_when_under_way()) {
      look.after(milliseconds{1});
      bench.loop.run();
    }
  }
  Bench bench;
  CHECK(bench.send(mail_to(server, "carl@example.org")).failure == Failure::none);
  CHECK(server.mails().size() == 1);
}

TEST_CASE("a word that comes too late sends nothing") {
  SmtpServer server;
  Bench bench;
  bench.on_held = [&] { bench.smtp->go_on(bench.id, bench.clock.steady() - milliseconds{1}); };
  const Reply reply = bench.send(mail_to(server, "ann@example.org"));
  CHECK(reply.failure == Failure::too_late);
  CHECK_FALSE(reply.may_have_arrived);
  CHECK(server.mails().empty());
}

TEST_CASE("a server that left or spoke up while the mail was held gets no dot: certain, not in doubt") {
  SmtpServer server;
  Bench bench;
  bench.on_held = [] {};  // and the word never comes
  const Reply left = bench.send(mail_to(server, "leave-while-held@example.org"));
  CHECK(left.failure == Failure::broken);
  CHECK(left.stage == Stage::held);
  CHECK_FALSE(left.may_have_arrived);
  const Reply spoke = bench.send(mail_to(server, "speak-while-held@example.org"));
  CHECK(spoke.failure == Failure::rejected);
  CHECK(spoke.stage == Stage::held);
  CHECK(spoke.code == 421);
  CHECK_FALSE(spoke.may_have_arrived);
  CHECK(server.count("left") == 2);
}

TEST_CASE("every refusal is told with its stage and code, and nothing arrives") {
  struct Row {
    std::string sender, recipient;
    Stage stage;
    int code;
  };
  const Row rows[] = {{"desk", "later-450", Stage::recipient, 450},  {"desk", "refused-550", Stage::recipient, 550},
                      {"desk", "relay-530", Stage::recipient, 530},  {"sender-450", "ann", Stage::sender, 450},
                      {"sender-553", "ann", Stage::sender, 553},     {"desk", "data-451", Stage::data, 451},
                      {"desk", "data-554", Stage::data, 554},        {"desk", "dot-451", Stage::final_dot, 451},
                      {"desk", "dot-554", Stage::final_dot, 554}};
  SmtpServer server;
  Bench bench;
  for (const auto& row : rows) {
    CAPTURE(row.recipient);
    Request request = mail_to(server, row.recipient + "@example.org");
    request.sender = row.sender + "@desk.example";
    const Reply reply = bench.send(request);
    CHECK(reply.failure == Failure::rejected);
    CHECK(reply.stage == row.stage);
    CHECK(reply.code == row.code);
    CHECK_FALSE(reply.may_have_arrived);
    CHECK_FALSE(reply.text.empty());
  }
  CHECK(server.mails().empty());
}

TEST_CASE("each recipient has its own answer; the mail goes to those who were accepted") {
  SmtpServer server;
  Bench bench;
  Request request = mail_to(server, "ann@example.org");
  request.recipients = {"refused-550@example.org", "ann@example.org", "later-450@example.org", "bob@example.org"};
  const Reply reply = bench.send(request);
  CHECK(reply.failure == Failure::none);
  REQUIRE(reply.recipients.size() == 4);
  CHECK(reply.recipients[0].code == 550);
  CHECK(reply.recipients[0].text == "5.1.1 no such person here");
  CHECK(reply.recipients[1].is_accepted());
  CHECK(reply.recipients[2].code == 450);
  CHECK(reply.recipients[3].is_accepted());
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0].recipients == std::vector<std::string>{"ann@example.org", "bob@example.org"});

  request.recipients = {"refused-550@example.org", "later-450@example.org"};
  const Reply none = bench.send(request);
  CHECK(none.failure == Failure::rejected);
  CHECK(bench.held == 1);  // not again
  CHECK(none.recipients[0].code == 550);
  CHECK(none.recipients[1].code == 450);
}

TEST_CASE("after the dot only the server's own no is certain") {
  struct Row {
    std::string recipient;
    Failure failure;
    std::size_t arrived;
  };
  const Row rows[] = {{"drop-after-dot@example.org", Failure::broken, 0},
                      {"accept-then-drop@example.org", Failure::broken, 1},
                      {"hang-after-dot@example.org", Failure::timeout, 1}};
  for (const auto& row : rows) {
    CAPTURE(row.recipient);
    SmtpServer server;
    Bench bench;
    Request request = mail_to(server, row.recipient);
    request.timeout = milliseconds{700};
    const Reply reply = bench.send(request);
    CHECK(reply.failure == row.failure);
    CHECK(reply.stage == Stage::final_dot);
    CHECK(reply.may_have_arrived);
    CHECK(server.mails().size() == row.arrived);
  }
}

TEST_CASE("cancelled after the dot is in doubt") {
  SmtpServer server;
  Bench bench;
  loop::Timer later{bench.loop, [&] {
                      CHECK(bench.smtp->may_have_arrived(bench.id));
                      bench.smtp->cancel(bench.id);
                    }};
  bench.on_held = [&] {
    bench.go_on();
    later.after(milliseconds{300});
  };
  const Reply reply = bench.send(mail_to(server, "hang-after-dot@example.org"));
  CHECK(reply.failure == Failure::cancelled);
  CHECK(reply.may_have_arrived);
}

TEST_CASE("the time until the dot and the time after it are counted each for itself") {
  SmtpServer server;
  Bench bench;
  loop::Timer later{bench.loop, [&] { bench.go_on(); }};
  bench.on_held = [&] { later.after(milliseconds{900}); };
  Request request = mail_to(server, "slow-after-dot@example.org");
  request.timeout = milliseconds{1'500};
  CHECK(bench.send(request).failure == Failure::none);  // 0.9 s before, 1 s behind
}

TEST_CASE("a connection that breaks in the middle of the mail broke before the dot") {
  SmtpServer server;
  Bench bench;
  Request request = mail_to(server, "drop-in-data@example.org");
  for (int i = 0; i < 24'000; ++i) request.content += std::string(990, 'x') + "\r\n";
  const Reply reply = bench.send(request);
  CAPTURE(reply.detail);
  CHECK(reply.failure == Failure::broken);
  CHECK_FALSE(reply.may_have_arrived);
  CHECK(bench.held == 0);
}

TEST_CASE("a server that never answers QUIT holds nobody up") {
  SmtpServer server;
  Bench bench;
  const auto begin = bench.clock.steady();
  CHECK(bench.send(mail_to(server, "hang-after-quit@example.org")).failure == Failure::none);
  CHECK(bench.send(mail_to(server, "refused-550@example.org")).failure == Failure::rejected);
  CHECK(bench.clock.steady() - begin < milliseconds{500});
  CHECK(server.mails().size() == 1);
}

TEST_CASE("endless answers, silence and closed doors end") {
  Bench bench;
  {
    SmtpServer server;
    CHECK(bench.send(mail_to(server, "endless@example.org")).failure == Failure::protocol);
  }
  {
    SmtpServer server{{"--silent"}};
    Request request = mail_to(server, "ann@example.org");
    request.timeout = milliseconds{400};
    const Reply reply = bench.send(request);
    CHECK(reply.failure == Failure::timeout);
    CHECK(reply.stage == Stage::connecting);
    CHECK(reply.is_silent);
  }
  {
    SmtpServer server{{"--tls", "implicit"}};  // it waits for us to begin, and we for it
    Request request = mail_to(server, "ann@example.org");
    request.timeout = milliseconds{400};
    const Reply reply = bench.send(request);
    CHECK(reply.failure == Failure::timeout);
    CHECK(reply.is_silent);
    CHECK_FALSE(reply.is_encrypted);
  }
  {
    SmtpServer server{{"--greeting", "554 5.3.2 not today"}};
    const Reply reply = bench.send(mail_to(server, "ann@example.org"));
    CHECK(reply.failure == Failure::rejected);
    CHECK(reply.stage == Stage::greeting);
    CHECK(reply.code == 554);
  }
  {
    SmtpServer server{{"--greeting", "HTTP/1.1 200 OK"}};
    CHECK(bench.send(mail_to(server, "ann@example.org")).failure == Failure::protocol);
  }
  Request request;
  {
    SmtpServer server;
    request = mail_to(server, "ann@example.org");
  }
  CHECK(bench.send(request).failure == Failure::connect);
}

TEST_CASE("many at once over one client, each with its own end") {
  SmtpServer server;
  Bench bench;
  std::vector<Reply> replies(40);
  std::size_t missing = replies.size();
  std::vector<ExchangeId> ids(replies.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const std::string who = i % 4 == 0 ? "refused-550@example.org" : "ann" + std::to_string(i) + "@example.org";
    ids[i] = bench.smtp->send(mail_to(server, who),
                              [&, i] {
                                if (i % 4 == 1) return bench.smtp->cancel(ids[i]);
                                bench.smtp->go_on(ids[i], bench.clock.steady() + seconds{2});
                              },
                              [&, i](Reply reply) {
                                replies[i] = std::move(reply);
                                if (--missing == 0) bench.loop.stop();
                              });
  }
  bench.loop.run();
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CHECK(replies[i].failure == (i % 4 == 0 ? Failure::rejected : i % 4 == 1 ? Failure::cancelled : Failure::none));
  }
  CHECK(server.mails().size() == 20);
}
