// Mails that belong to something we know: replies, our own mail, reports about it.

#include "tests/unit/ledger/mail_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::TicketState;
using store::ArrivalState;

using By = FoundThread::By;

TEST_CASE("a reply is a comment with what is new in it, and says how it was recognised") {
  struct Row {
    By by;
    bool is_participant;
    bool is_reply;
  };
  const Row rows[] = {{By::signed_id, true, true},   {By::signed_id, false, true},      {By::references, true, true},
                      {By::references, false, true}, {By::subject_number, true, true},  {By::subject_number, false, false}};
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.by));
    CAPTURE(row.is_participant);
    MailWorld world;
    world.answers(row.by, row.is_participant);
    auto letter = world.letter("Re: My printer smokes");
    letter.attachments.push_back({"log.txt", "text/plain", "", false, {std::string(64, 'd'), 5}});
    world.read(letter);
    if (!row.is_reply) {
      CHECK(world.state.arrival->state == ArrivalState::opened);
      CHECK(world.state.ticket->id == MailWorld::promised);
      CHECK(world.state.mail->why.find("takes no part") != std::string::npos);
      continue;
    }
    CHECK(world.state.arrival->state == ArrivalState::reply);
    REQUIRE(world.comments.size() == 1);
    const auto& comment = world.comments[0];
    CHECK(comment.ticket_id == "ticket");
    CHECK(comment.is_public == row.is_participant);
    CHECK(comment.actor == (row.is_participant ? "mail" : "stranger"));
    CHECK(comment.author_email == "ann@customer.example");
    CHECK(comment.text == "It smokes.");
    CHECK(comment.full_text == letter.text);
    CHECK(comment.arrival_id == MailWorld::arrival_id);
    REQUIRE(world.attachments.size() == 1);
    CHECK(world.attachments[0].comment_id == comment.id);
    CHECK(world.attachments[0].ticket_id == "ticket");
    CHECK(world.state.ticket->version == 4);
    CHECK(world.state.ticket->state == TicketState::in_progress);
    CHECK(world.state.mail->ticket_id == "ticket");
    CHECK(world.state.mail->comment_id == comment.id);
    CHECK(world.state.mail->content_key == "content");
    REQUIRE(world.threads.size() == 1);
    CHECK(world.threads[0].ticket_id == "ticket");
    CHECK(world.participants.size() == (row.is_participant ? 1u : 0u));
    REQUIRE(world.noted("reply") != nullptr);
    CHECK(world.noted("reply")->ticket_id == "ticket");
    CHECK(world.noted("reply")->correlation_id == MailWorld::arrival_id);
    CHECK((world.noted("reply")->detail.find("takes no part in the ticket") != std::string::npos) == !row.is_participant);
    CHECK(world.noted("opened") == nullptr);
  }
}

TEST_CASE("an answer that may be told of before what it answers is read again in a moment, but not for ever") {
  MailWorld world;
  world.state.may_answer_undecided = true;
  std::int64_t waited = 0;
  for (int readings = 0; readings < 3; ++readings) {
    world.read(world.letter("Re: My printer smokes"));
    CHECK(world.state.mail->stage == store::MailStage::waiting);
    CHECK(world.state.arrival->state == ArrivalState::received);
    CHECK(world.state.mail->message_id == "m1@customer.example");  // so that an answer to it knows it
    CHECK(world.state.mail->due_at > world.context.now);
    waited += world.state.mail->due_at - world.context.now;
    world.context.now = world.state.mail->due_at;
    CHECK(world.noted("put_off") != nullptr);
  }
  CHECK(waited == 7 * MailWorld::second);
  SUBCASE("what it answers is known now") {
    world.state.may_answer_undecided = false;
    world.answers(By::references, true);
    world.read(world.letter("Re: My printer smokes"));
    CHECK(world.state.arrival->state == ArrivalState::reply);
  }
  SUBCASE("what it answers stays unknown") {
    world.read(world.letter("Re: My printer smokes"));
    CHECK(world.state.arrival->state == ArrivalState::opened);
  }
}

TEST_CASE("what is decided without a thread waits for none") {
  MailWorld world;
  world.state.may_answer_undecided = true;
  SUBCASE("a duplicate") {
    world.state.same_content = world.other_mail();
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::duplicate);
  }
  SUBCASE("one that a person sent on") {
    world.state.may_answer_undecided = false;
    world.read(world.letter("hello"));
    world.state.may_answer_undecided = true;
    world.retry("shop");
    world.hand_out();
    world.parsed(world.letter("hello"));
    CHECK(world.state.arrival->state == ArrivalState::opened);
  }
}

TEST_CASE("a reply without a quote has no second text") {
  MailWorld world;
  world.answers(By::references, true);
  auto letter = world.letter();
  letter.text = letter.reply_text = "Thanks.";
  world.read(letter);
  CHECK(world.comments[0].text == "Thanks.");
  CHECK(world.comments[0].full_text.empty());
}

TEST_CASE("a person's reply reopens what was resolved or closed, an automatic one does not, and nothing else is touched") {
  struct Row {
    TicketState before;
    bool is_auto;
    TicketState after;
  };
  const Row rows[] = {{TicketState::resolved, false, TicketState::reopened}, {TicketState::resolved, true, TicketState::resolved},
                      {TicketState::closed, false, TicketState::reopened},   {TicketState::closed, true, TicketState::closed},
                      {TicketState::fresh, false, TicketState::fresh},
                      {TicketState::on_hold, false, TicketState::on_hold},   {TicketState::reopened, false, TicketState::reopened}};
  for (const auto& row : rows) {
    MailWorld world;
    world.answers(By::signed_id, true, row.before);
    auto letter = world.letter();
    letter.is_auto = letter.is_out_of_office = row.is_auto;
    letter.auto_reason = row.is_auto ? "Auto-Submitted: auto-replied" : "";
    world.read(letter);
    CHECK(world.comments.size() == 1);
    CHECK(world.state.ticket->state == row.after);
    CHECK((world.noted("state") != nullptr) == (row.after != row.before));
    if (row.is_auto) CHECK(world.state.mail->why.find("reopens nothing") != std::string::npos);
    CHECK(world.state.mail->is_auto == row.is_auto);
  }
}

TEST_CASE("a stranger's reply reopens nothing, so nobody is told of it") {
  for (const auto by : {By::signed_id, By::references}) {
    MailWorld world;
    world.answers(by, false, TicketState::resolved);
    world.read(world.letter());
    CHECK(world.comments.size() == 1);
    CHECK(world.state.ticket->state == TicketState::resolved);
    CHECK(world.noted("state") == nullptr);
    CHECK(world.deliveries.empty());
  }
}

TEST_CASE("our own mail that came back is ignored, and stays to be seen") {
  MailWorld world;
  world.answers(By::signed_id, true);
  auto letter = world.letter();
  letter.is_own = letter.is_auto = true;
  letter.auto_reason = "X-Postroom-Loop";
  world.read(letter);
  CHECK(world.state.arrival->state == ArrivalState::own);
  CHECK(world.state.mail->verdict == "own");
  CHECK(world.comments.empty());
  CHECK(world.noted("own_mail") != nullptr);
}

TEST_CASE("a report about a mail of ours stands at that mail and on its ticket") {
  struct Row {
    const char* action;
    store::DeliveryState state;
    messages::ReasonClass reason_class;
    bool is_told;
    const char* recipient = "Ann@customer.example";
  };
  const Row rows[] = {{"failed", store::DeliveryState::done, messages::ReasonClass::recipient_refused, true},
                      {"failed", store::DeliveryState::done, messages::ReasonClass::recipient_refused, true, ""},
                      {"failed", store::DeliveryState::done, messages::ReasonClass::none, false, "somebody@else.example"},
                      {"delayed", store::DeliveryState::done, messages::ReasonClass::none, true},
                      {"delivered", store::DeliveryState::done, messages::ReasonClass::none, false},
                      {"failed", store::DeliveryState::waiting, messages::ReasonClass::none, false}};
  for (const auto& row : rows) {
    CAPTURE(row.action);
    MailWorld world;
    world.state.bounced.emplace();
    world.state.bounced->id = "delivery";
    world.state.bounced->ticket_id = "ticket";
    world.state.bounced->recipient = "ann@customer.example";
    world.state.bounced->state = row.state;
    world.state.bounced_ticket = world.known_ticket();
    auto letter = world.letter("Undelivered Mail Returned to Sender");
    letter.bounce = messages::ParsedBounce{row.recipient, "5.1.1", row.action, "no such user", "x@y", messages::SignedThread{"ticket", "delivery"}};
    letter.is_auto = true;
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::bounce);
    CHECK(world.state.mail->ticket_id == "ticket");
    CHECK(world.state.bounced->reason_class == row.reason_class);
    CHECK((world.state.bounced->reason.find("no such user") != std::string::npos) == row.is_told);
    CHECK(world.state.bounced->state == row.state);
    REQUIRE(world.noted("bounced") != nullptr);
    CHECK(world.noted("bounced")->ticket_id == "ticket");
    CHECK(world.noted("bounced")->delivery_id == "delivery");
    REQUIRE(world.threads.size() == 1);
    CHECK(world.threads[0].message_id == "x@y");
    CHECK(world.threads[0].ticket_id == "ticket");
    CHECK(world.comments.empty());
  }
}

TEST_CASE("a report about a mail that is not ours goes the way of automatic mails, and says so") {
  MailWorld world;
  world.state.smtp.emplace();
  world.state.smtp->id = "smtp";
  auto letter = world.letter("My printer smokes no more");
  letter.bounce = messages::ParsedBounce{"x@y.example", "5.0.0", "failed", "", "theirs@y.example", {}};
  letter.is_auto = true;
  const auto says_so = [](std::string_view text) { return text.find("a report about a mail that is not ours to x@y.example: failed 5.0.0") != std::string_view::npos; };
  SUBCASE("a board takes it: a ticket that nobody is told about") {
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::opened);
    CHECK(world.state.ticket->board_id == "desk");
    CHECK(says_so(world.noted("opened")->detail));
    CHECK(says_so(world.state.mail->why));
    CHECK(world.deliveries.empty());
  }
  SUBCASE("even if the router held it for a person's") {
    letter.is_auto = false;
    letter.may_be_confirmed = true;
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::opened);
    CHECK(world.deliveries.empty());
  }
  SUBCASE("no board takes it: it waits") {
    letter.subject = "Undelivered";
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::standby);
    CHECK(says_so(world.state.item->reason));
  }
  SUBCASE("on a ticket it is a comment that reopens nothing") {
    world.answers(By::references, false, TicketState::resolved);
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::reply);
    CHECK(world.state.ticket->state == TicketState::resolved);
    CHECK(says_so(world.noted("reply")->detail));
  }
  SUBCASE("mail servers write all reports alike: sender and subject make none a duplicate") {
    world.state.same_sender_subject = world.other_mail();
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::opened);
  }
  SUBCASE("the same one again is a duplicate") {
    world.state.same_content = world.other_mail();
    world.read(letter);
    CHECK(world.state.arrival->state == ArrivalState::duplicate);
  }
  CHECK(world.noted("bounced") == nullptr);
}
