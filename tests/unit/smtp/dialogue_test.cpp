#include <doctest/doctest.h>

#include "common/smtp/dialogue.hpp"

using namespace postroom;
using namespace postroom::smtp;

namespace {

Request a_mail(std::vector<std::string> recipients = {"ann@example.org"}) {
  Request request;
  request.sender = "desk@desk.example";
  request.recipients = std::move(recipients);
  request.content = "Subject: Hello\r\n\r\n.dot\r\n";
  return request;
}

struct Table {
  explicit Table(const Request& request = a_mail(), std::string_view offers = "250-mail.example\r\n250 SIZE 1000") : dialogue(request) {
    dialogue.heard("220 mail.example ESMTP\r\n");
    dialogue.overheard("EHLO desk.example\r\n");
    for (const auto line : {offers.substr(0, offers.find('\r')), offers.substr(offers.rfind('\n') + 1)}) dialogue.heard(line);
    dialogue.begin();
  }
  // What we say next.
  std::string said() {
    std::string bytes{dialogue.outgoing()};
    dialogue.written(bytes.size());
    return bytes;
  }
  void hear(std::string_view bytes) { dialogue.take(bytes); }

  Dialogue dialogue;
};

Table held() {
  Table table;
  for (const char* answer : {"250 OK\r\n", "250 OK\r\n", "354 go on\r\n"}) {
    table.said();
    table.hear(answer);
  }
  table.said();
  REQUIRE(table.dialogue.is_held());
  return table;
}

}  // namespace

TEST_CASE("a mail goes out word for word, is held before its dot, and ends with the server's yes") {
  Table table;
  CHECK(table.said() == "MAIL FROM:<desk@desk.example> SIZE=24\r\n");
  table.hear("250 2.1.0 OK\r\n");
  CHECK(table.said() == "RCPT TO:<ann@example.org>\r\n");
  table.hear("250 2.1.5 OK\r\n");
  CHECK(table.said() == "DATA\r\n");
  table.hear("354 go on\r\n");
  CHECK(table.dialogue.outgoing() == "Subject: Hello\r\n\r\n..dot\r\n");
  table.dialogue.written(10);
  CHECK_FALSE(table.dialogue.is_held());
  table.dialogue.written(table.dialogue.outgoing().size());
  CHECK(table.dialogue.is_held());
  CHECK(table.dialogue.outgoing().empty());
  table.dialogue.go_on();
  CHECK(table.said() == ".\r\n");
  CHECK_FALSE(table.dialogue.is_over());
  table.hear("250-2.0.0 queued\r\n250 2.0.0 as 42\r\n");
  CHECK(table.dialogue.is_over());
  CHECK(table.dialogue.failure() == Failure::none);
  CHECK(table.dialogue.text() == "2.0.0 queued 2.0.0 as 42");
  CHECK(table.said() == "QUIT\r\n");
}

TEST_CASE("answers in pieces and in lines are one answer") {
  Table table;
  table.said();
  for (const char byte : std::string_view{"250-one\r\n250-two\r\n250 three\r\n"}) table.hear({&byte, 1});
  CHECK(table.said() == "RCPT TO:<ann@example.org>\r\n");
}

TEST_CASE("only what was offered is used, and behind TLS only what is offered there") {
  CHECK(Table{a_mail(), "250 mail.example"}.said() == "MAIL FROM:<desk@desk.example>\r\n");
  Dialogue dialogue{a_mail()};
  dialogue.heard("220 mail.example\r\n");
  dialogue.overheard("EHLO desk.example\r\n");
  dialogue.heard("250-SIZE 1000\r\n");
  dialogue.heard("250-AUTH PLAIN\r\n");
  dialogue.heard("250 STARTTLS\r\n");
  CHECK(dialogue.offers_starttls());
  CHECK(dialogue.offers_login());
  dialogue.overheard("STARTTLS\r\n");
  CHECK_FALSE(dialogue.has_begun_tls());
  dialogue.heard("220 go\r\n");
  CHECK(dialogue.has_begun_tls());
  dialogue.overheard("EHLO desk.example\r\n");
  dialogue.heard("250 mail.example\r\n");
  CHECK_FALSE(dialogue.offers_login());
  dialogue.begin();
  CHECK(dialogue.outgoing() == "MAIL FROM:<desk@desk.example>\r\n");
}

TEST_CASE("a login in several steps has one end") {
  Dialogue dialogue{a_mail()};
  dialogue.overheard("AUTH LOGIN\r\n");
  dialogue.heard("334 VXNlcm5hbWU6\r\n");
  CHECK_FALSE(dialogue.has_logged_in());
  dialogue.overheard("YW5u\r\n");
  dialogue.heard("334 UGFzc3dvcmQ6\r\n");
  dialogue.overheard("c2VjcmV0\r\n");
  CHECK(dialogue.code() == 0);
  dialogue.heard("235 2.7.0 welcome\r\n");
  CHECK(dialogue.has_logged_in());
  CHECK(dialogue.stage() == Stage::login);
}

TEST_CASE("addresses outside ASCII need a server that takes them") {
  const Request request = a_mail({"j\xc3\xb6rg@example.org"});
  CHECK(Table{request, "250-SMTPUTF8\r\n250 8BITMIME"}.said() == "MAIL FROM:<desk@desk.example> SMTPUTF8\r\n");
  Table without{request};
  CHECK(without.dialogue.is_over());
  CHECK(without.dialogue.failure() == Failure::no_utf8);
  CHECK(without.dialogue.detail().find("send through a server that offers it") != std::string_view::npos);
  Request with_bytes = request;
  with_bytes.content = "To: j\xc3\xb6rg@example.org\r\n\r\n";
  CHECK(Table{with_bytes, "250-SMTPUTF8\r\n250 8BITMIME"}.said() == "MAIL FROM:<desk@desk.example> BODY=8BITMIME SMTPUTF8\r\n");
}

TEST_CASE("every no ends it at its stage with a farewell") {
  struct Row {
    int yes;
    Stage stage;
  };
  const char* const answers[] = {"250 OK\r\n", "250 OK\r\n", "354 go on\r\n"};
  for (const Row row : {Row{0, Stage::sender}, Row{1, Stage::recipient}, Row{2, Stage::data}}) {
    for (const char* no : {"451 4.3.0 later\r\n", "550 5.1.1 never\r\n"}) {
      Table table;
      for (int i = 0; i < row.yes; ++i) {
        table.said();
        table.hear(answers[i]);
      }
      table.said();
      table.hear(no);
      CHECK(table.dialogue.is_over());
      CHECK(table.dialogue.failure() == Failure::rejected);
      CHECK(table.dialogue.stage() == row.stage);
      CHECK(table.said() == "QUIT\r\n");
    }
  }
  Table table = held();
  table.dialogue.go_on();
  table.said();
  table.hear("554 5.7.1 spam\r\n");
  CHECK(table.dialogue.failure() == Failure::rejected);
  CHECK(table.dialogue.stage() == Stage::final_dot);
}

TEST_CASE("before its dot a mail may be turned away, but nobody can accept it") {
  Table away = held();
  away.hear("421 4.3.2 closing\r\n");
  CHECK(away.dialogue.failure() == Failure::rejected);
  CHECK(away.dialogue.stage() == Stage::held);
  CHECK(away.dialogue.outgoing().empty());  // a farewell would be part of the mail
  CHECK_FALSE(away.dialogue.is_held());
  Table early = held();
  early.hear("250 OK, got it\r\n");
  CHECK(early.dialogue.failure() == Failure::protocol);
  CHECK(early.dialogue.stage() == Stage::held);
  Table at_once;
  at_once.hear("250 OK\r\n");  // before our first word is out
  CHECK(at_once.dialogue.failure() == Failure::protocol);
  Table ahead;
  ahead.said();
  ahead.hear("250 OK\r\n250 OK\r\n");  // two answers to one question
  CHECK(ahead.dialogue.failure() == Failure::protocol);
}

TEST_CASE("what is no answer is told apart from a no") {
  for (const char* answer : {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "25\r\n", "hello\r\n", "354 go on\r\n", "150 wait\r\n"}) {
    CAPTURE(answer);
    Table table;
    table.said();
    table.hear(answer);
    CHECK(table.dialogue.failure() == Failure::protocol);
    CHECK_FALSE(table.dialogue.detail().empty());
  }
  Table data;
  for (const char* answer : {"250 OK\r\n", "250 OK\r\n", "250 thank you\r\n"}) {
    data.said();
    data.hear(answer);
  }
  CHECK(data.dialogue.failure() == Failure::protocol);
}

TEST_CASE("endless lines and endless answers end") {
  Table line;
  line.said();
  line.hear(std::string(9'000, '2'));
  CHECK(line.dialogue.failure() == Failure::protocol);
  Table answer;
  answer.said();
  for (int i = 0; i < 10'000 && !answer.dialogue.is_over(); ++i) answer.hear("250-and so on and so on and so on\r\n");
  CHECK(answer.dialogue.failure() == Failure::protocol);
  Table words;
  words.said();
  words.hear("550 " + std::string(4'000, 'x') + "\x1b[31m\xff\r\n");
  CHECK(words.dialogue.text().size() <= 300);
}

TEST_CASE("each recipient has its own answer") {
  Table table{a_mail({"ann@example.org", "bob@example.org", "carl@example.org"})};
  table.said();
  table.hear("250 OK\r\n");
  table.said();
  table.hear("550 5.1.1 no ann\r\n");
  table.said();
  table.hear("250 2.1.5 bob\r\n");
  CHECK(table.said() == "RCPT TO:<carl@example.org>\r\n");
  table.hear("450 4.2.0 carl later\r\n");
  CHECK(table.said() == "DATA\r\n");
  const auto& verdicts = table.dialogue.recipients();
  CHECK(verdicts[0].code == 550);
  CHECK(verdicts[0].text == "5.1.1 no ann");
  CHECK(verdicts[1].is_accepted());
  CHECK(verdicts[2].code == 450);
}

TEST_CASE("a trial names the sender and no more") {
  Request trial = a_mail({});
  Table table{trial};
  CHECK(table.said() == "MAIL FROM:<desk@desk.example>\r\n");
  table.hear("250 OK\r\n");
  CHECK(table.dialogue.failure() == Failure::none);
  CHECK(table.said() == "QUIT\r\n");
  trial.sender.clear();
  CHECK(Table{trial}.said() == "NOOP\r\n");
}
