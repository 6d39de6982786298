// Conversations on a real database: which ticket a reply belongs to.

#include "tests/component/ledger/mail_house.hpp"

using namespace postroom;
using namespace postroom::ledger;
using store::ArrivalState;

TEST_CASE("the same mail in two mailboxes is two tickets, and a reply to both is a comment on each") {
  MailHouse house;
  const auto at_support = house.receive({.inbox = MailHouse::support}, house.letter());
  const auto at_sales = house.receive({.inbox = MailHouse::sales}, house.letter());
  CHECK(at_sales.mail->verdict == "ticket");
  auto answer = house.letter("second", "Re: My printer smokes");
  answer.in_reply_to = {"first@customer.example"};
  const auto first = house.receive({.inbox = MailHouse::support, .uid = 2, .previous = 1}, answer);
  const auto second = house.receive({.inbox = MailHouse::sales, .uid = 2, .previous = 1}, answer);
  CHECK(first.mail->ticket_id == at_support.arrival.ticket_id);
  CHECK(second.mail->ticket_id == at_sales.arrival.ticket_id);
  CHECK(house.number("SELECT COUNT(*) FROM comments") == 2);
}

TEST_CASE("a reply that comes by two mailboxes onto one ticket is one comment") {
  MailHouse house;
  house.receive({.inbox = MailHouse::support}, house.letter());
  auto answer = house.letter("second", "Re: My printer smokes");
  answer.references = {"nothing@known.example", "first@customer.example"};
  CHECK(house.receive({.inbox = MailHouse::support, .uid = 2, .previous = 1}, answer).mail->verdict == "reply");
  CHECK(house.receive({.inbox = MailHouse::sales}, answer).mail->verdict == "duplicate");
  CHECK(house.number("SELECT COUNT(*) FROM comments") == 1);
}

TEST_CASE("conversations: by our signed id, by a reply to a reply, by the number of a ticket from who takes part") {
  MailHouse house;
  const auto first = house.receive({}, house.letter());
  const std::string ticket_id = first.arrival.ticket_id;
  const std::int64_t number = house.ticket(ticket_id).ticket.number;
  std::int64_t uid = 1;
  const auto receive = [&](const messages::ParsedMail& mail) {
    ++uid;
    return house.receive({.uid = uid, .previous = uid - 1}, mail);
  };

  auto numbered = house.letter("by number", "What about it? [#1]", "eve@stranger.example");
  numbered.subject_number = number;
  CHECK(receive(numbered).mail->verdict == "standby");  // a stranger, and no keyword
  numbered = house.letter("by number again", "What about it? [#1]");
  numbered.subject_number = number;
  CHECK(receive(numbered).mail->verdict == "reply");

  auto nested = house.letter("nested", "Re: Re: printer", "bob@customer.example");
  nested.in_reply_to = {"by number again@customer.example"};
  auto got = receive(nested);
  CHECK(got.mail->ticket_id == ticket_id);
  CHECK(got.mail->why.find("takes no part in the ticket") != std::string::npos);
  CHECK(house.number("SELECT COUNT(*) FROM comments WHERE author_email = 'bob@customer.example' AND is_public = 0 AND actor = 'stranger'") == 1);
  numbered = house.letter("bob's number", "[#1] and now?", "bob@customer.example");
  numbered.subject_number = number;
  CHECK(receive(numbered).mail->verdict == "standby");  // he still takes no part

  store::DeliveryRow delivery;
  delivery.id = "00000000-0000-4000-8000-0000000000aa";
  delivery.ticket_id = ticket_id;
  delivery.board_id = "desk";
  delivery.cause = "ticket.opened";
  delivery.destination_id = "smtp";
  delivery.worker = "notifier";
  delivery.kind = "mail";
  delivery.recipient = "carl@customer.example";
  delivery.state = store::DeliveryState::done;
  REQUIRE(store::insert(house.database, delivery).ok());
  auto by_signature = house.letter("signed", "AW: received", "carl@customer.example");
  by_signature.thread = messages::SignedThread{ticket_id, delivery.id};
  got = receive(by_signature);
  CHECK(got.mail->ticket_id == ticket_id);
  CHECK(got.mail->why.find("takes no part") == std::string::npos);  // we wrote to him
  auto foreign = house.letter("foreign", "hello", "dora@stranger.example");
  foreign.thread = messages::SignedThread{ticket_id, "00000000-0000-4000-8000-0000000000bb"};
  CHECK(receive(foreign).mail->verdict == "standby");

  auto bounce = house.letter("bounce", "Undelivered", "");
  bounce.is_auto = true;
  bounce.bounce = messages::ParsedBounce{"carl@customer.example", "5.1.1", "failed", "no such user", "x", messages::SignedThread{ticket_id, delivery.id}};
  got = receive(bounce);
  CHECK(got.mail->verdict == "bounce");
  CHECK(got.mail->ticket_id == ticket_id);
  CHECK(house.number("SELECT COUNT(*) FROM deliveries WHERE reason_class = 'recipient_refused' AND reason LIKE '%no such user%'") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM history WHERE action = 'bounced' AND delivery_id IS NOT NULL") == 1);

  // Nobody sent that one from here, whatever the report says about it.
  bounce.message_id = "bounce two@customer.example";
  bounce.content_key = "another";
  bounce.bounce->original.reset();
  bounce.bounce->original_message_id = "theirs@stranger.example";
  CHECK(receive(bounce).mail->verdict == "standby");
  // A mail that somebody else sent, and that is on a ticket: the report belongs there.
  bounce.message_id = "bounce three@customer.example";
  bounce.content_key = "a third";
  bounce.bounce->original_message_id = "first@customer.example";
  got = receive(bounce);
  CHECK(got.mail->verdict == "reply");
  CHECK(got.mail->ticket_id == ticket_id);
  CHECK(got.mail->why.find("not ours") != std::string::npos);
}

TEST_CASE("an answer that is read before what it answers waits for it, a stranger's and one of another mailbox do not") {
  MailHouse house;
  house.fetch({.uid = 1});
  house.fetch({.uid = 2, .previous = 1});
  house.fetch({.uid = 3, .previous = 2});
  house.fetch({.inbox = MailHouse::sales, .uid = 4});
  const auto jobs = house.parse_jobs();
  REQUIRE(jobs.size() == 4);
  const auto answer_to = [&](const std::string& name, const std::string& to) {
    auto answer = house.letter(name, "Re: printer", "ann@customer.example");
    answer.in_reply_to = {to + "@customer.example"};
    return answer;
  };
  const auto verdict = [&](std::size_t job) { return house.arrival(jobs[job].arrival_id).mail->verdict; };
  house.tell(jobs[3], answer_to("elsewhere", "first"));
  CHECK(verdict(3) == "ticket");  // nothing came before it there
  house.tell(jobs[2], answer_to("third", "second"));
  house.tell(jobs[1], answer_to("second", "first"));
  CHECK(verdict(1).empty());
  CHECK(verdict(2).empty());
  house.tell(jobs[0], house.letter("first"));
  CHECK(verdict(0) == "ticket");
  house.pass(std::chrono::seconds{1});
  auto again = house.parse_jobs();
  REQUIRE(again.size() == 2);
  if (again[0].arrival_id != jobs[2].arrival_id) std::swap(again[0], again[1]);
  CHECK(again[0].arrival_id == jobs[2].arrival_id);
  CHECK(again[0].parse_no == 2);
  house.tell(again[0], answer_to("third", "second"));
  CHECK(verdict(2).empty());  // what it answers is known by its name now, and still being read
  house.tell(again[1], answer_to("second", "first"));
  CHECK(verdict(1) == "reply");
  house.pass(std::chrono::seconds{2});
  const auto last = house.parse_jobs();
  REQUIRE(last.size() == 1);
  house.tell(last[0], answer_to("third", "second"));
  CHECK(verdict(2) == "reply");
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 2);
  house.check_balance();
}

TEST_CASE("of several tickets with one Message-ID a reply goes to the one its sender takes part in, or to none") {
  MailHouse house;
  const auto first = house.receive({.uid = 1}, house.letter("same", "My printer smokes", "ann@customer.example"));
  const auto second = house.receive({.uid = 2, .previous = 1}, house.letter("same", "The printer burns", "bob@customer.example"));
  CHECK(first.mail->ticket_id != second.mail->ticket_id);
  struct Row {
    const char* sender;
    std::optional<std::string> ticket_id;
  };
  const Row rows[] = {{"ann@customer.example", first.mail->ticket_id}, {"bob@customer.example", second.mail->ticket_id}, {"eve@stranger.example", {}}};
  std::int64_t uid = 2;
  for (const auto& row : rows) {
    CAPTURE(row.sender);
    auto answer = house.letter(std::string{"answer of "} + row.sender, "Re: it", row.sender);
    answer.in_reply_to = {"same@customer.example"};
    ++uid;
    const auto got = house.receive({.uid = uid, .previous = uid - 1}, answer);
    CHECK(got.mail->ticket_id == row.ticket_id);
    CHECK(got.mail->verdict == (row.ticket_id ? "reply" : "standby"));
  }
}
