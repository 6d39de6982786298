// A mail was read: every verdict, and what it leaves in the records.

#include "tests/unit/ledger/mail_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::StandbyState;
using store::ArrivalState;
using store::MailStage;

using By = FoundThread::By;

TEST_CASE("a mail becomes the promised ticket on the board whose keyword it holds, and tells why") {
  MailWorld world;
  auto letter = world.letter();
  letter.attachments.push_back({"smoke.jpg", "image/jpeg", "cid", true, {std::string(64, 'c'), 99}});
  letter.notes = {"the charset was guessed"};
  world.read(letter);
  REQUIRE(world.state.ticket.has_value());
  const auto& ticket = *world.state.ticket;
  CHECK(ticket.id == MailWorld::promised);
  CHECK(ticket.number == 42);
  CHECK(ticket.board_id == "desk");
  CHECK(ticket.arrival_id == MailWorld::arrival_id);
  CHECK(ticket.title == "My printer smokes");
  CHECK(ticket.description == letter.text);
  CHECK(ticket.creator_email == "ann@customer.example");
  CHECK(ticket.creator_name == "Ann");
  CHECK(world.state.arrival->state == ArrivalState::opened);
  CHECK(world.state.arrival->board_id == "desk");
  const auto& mail = *world.state.mail;
  CHECK(mail.verdict == "ticket");
  CHECK(mail.ticket_id == ticket.id);
  CHECK(mail.sender_subject_key == "sender and subject");
  CHECK(mail.content_key == "content");
  CHECK(mail.message_id == "m1@customer.example");
  CHECK(mail.why.find("printer") != std::string::npos);
  REQUIRE(world.noted("opened") != nullptr);
  CHECK(world.noted("opened")->detail.find("keyword") != std::string::npos);
  CHECK(world.noted("opened")->detail.find("charset was guessed") != std::string::npos);
  REQUIRE(world.attachments.size() == 1);
  CHECK(world.attachments[0].ticket_id == ticket.id);
  CHECK_FALSE(world.attachments[0].comment_id.has_value());
  CHECK(world.attachments[0].size == 99);
  CHECK(world.attachments[0].is_inline);
  REQUIRE(world.threads.size() == 1);
  CHECK(world.threads[0].message_id == "m1@customer.example");
  REQUIRE_FALSE(world.participants.empty());
  CHECK(world.participants[0].address == "ann@customer.example");
  CHECK(world.last.events.size() == 1);
}

TEST_CASE("where a mail belongs") {
  struct Row {
    const char* what;
    const char* exclusive;
    const char* subject;
    const char* fallback;
    const char* board;  // "" = standby
  };
  const Row rows[] = {
      {"an exclusive mailbox wins over keywords", "shop", "printer", "", "shop"},
      {"an exclusive mailbox of an archived board", "old", "printer", "desk", ""},
      {"an exclusive mailbox of a board that is gone", "gone", "printer", "desk", ""},
      {"a keyword", "", "Where is my ORDER?", "", "shop"},
      {"a keyword of an archived board", "", "by fax", "", ""},
      {"the keyword wins over the default", "", "order", "desk", "shop"},
      {"the default board", "", "hello", "desk", "desk"},
      {"an archived default board", "", "hello", "old", ""},
      {"nothing", "", "hello", "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    MailWorld world;
    if (*row.exclusive) world.state.mailbox->board_id = row.exclusive;
    if (*row.fallback) world.state.settings.default_board_id = row.fallback;
    world.read(world.letter(row.subject));
    if (*row.board) {
      REQUIRE(world.state.ticket.has_value());
      CHECK(world.state.ticket->board_id == row.board);
    } else {
      CHECK_FALSE(world.state.ticket.has_value());
      CHECK(world.state.arrival->state == ArrivalState::standby);
      REQUIRE(world.state.item.has_value());
      CHECK(world.state.item->reason_class == "no_board");
      CHECK(world.state.item->reason == world.state.mail->why);
    }
  }
}

TEST_CASE("a mail on the shelf keeps its keys to itself, and an assigned board takes it with its next reading") {
  MailWorld world;
  world.state.mailbox->after_import = messages::AfterImport::seen;
  world.read(world.letter("hello"));
  CHECK(world.state.mail->verdict == "standby");
  CHECK(world.state.mail->content_key.empty());
  CHECK(world.state.mail->sender_subject_key.empty());
  CHECK(world.state.mail->subject == "hello");
  CHECK(world.chores.empty());
  CHECK(world.threads.empty());
  const std::string item_id = world.state.item->id;
  CHECK(world.state.item->message_type == "mail.arrived.v1");
  CHECK(world.state.item->subject_id == MailWorld::arrival_id);

  world.retry("shop");
  CHECK(world.state.mail->stage == MailStage::waiting);
  CHECK(world.state.mail->assigned_board == "shop");
  CHECK(world.state.item->state == StandbyState::retry_pending);
  CHECK(world.state.arrival->state == ArrivalState::standby);
  // The clock leaves it alone while it is being read.
  world.context.now = world.state.item->due_at + 1;
  world.carry_out(decide_retry_deadline(world.state, world.context));
  CHECK(world.state.item->state == StandbyState::retry_pending);

  world.hand_out();
  CHECK(world.state.mail->parse_no == 2);
  world.parsed(world.letter("hello"));
  REQUIRE(world.state.ticket.has_value());
  CHECK(world.state.ticket->id == MailWorld::promised);
  CHECK(world.state.ticket->board_id == "shop");
  CHECK(world.state.mail->why.find("assigned") != std::string::npos);
  CHECK(world.state.item->id == item_id);
  CHECK(world.state.item->state == StandbyState::resolved);
  CHECK(world.state.arrival->state == ArrivalState::opened);
  CHECK(world.counters["arrivals_standby"] == 0);
  CHECK(world.chores.size() == 1);
}

TEST_CASE("an assigned board that is archived by now puts the same item back") {
  MailWorld world;
  world.read(world.letter("hello"));
  world.retry("old");
  world.hand_out();
  world.parsed(world.letter("hello"));
  CHECK(world.state.item->state == StandbyState::open);
  CHECK(world.state.item->attempts == 2);
  CHECK(world.state.item->board_id == "old");
  CHECK(world.state.item->reason.find("archived") != std::string::npos);
}

TEST_CASE("an assigned board goes before the rule about sender and subject, but not before the same mail") {
  MailWorld world;
  world.read(world.letter("hello"));
  world.state.same_sender_subject = world.other_mail();
  SUBCASE("sender and subject") {
    world.retry("shop");
    world.hand_out();
    world.parsed(world.letter("hello"));
    CHECK(world.state.arrival->state == ArrivalState::opened);
  }
  SUBCASE("the same mail") {
    world.state.same_content = world.other_mail();
    world.retry("shop");
    world.hand_out();
    world.parsed(world.letter("hello"));
    CHECK(world.state.arrival->state == ArrivalState::duplicate);
    CHECK(world.state.item->state == StandbyState::resolved);
  }
}

TEST_CASE("an old replay, or one that was given up, changes nothing") {
  MailWorld world;
  world.read(world.letter("hello"));
  world.retry("shop");
  world.hand_out();
  world.parsed(world.letter("by fax"));
  world.state.item->state = StandbyState::open;
  const auto mail = world.state.mail;
  world.arrive(world.mail(), 1, "shop");
  CHECK(world.state.mail == mail);
  CHECK(world.last.changes.empty());
  // Another one is under way meanwhile.
  world.state.item->state = StandbyState::retry_pending;
  world.state.item->retry_no = 2;
  world.state.pending_item = world.state.item;
  world.arrive(world.mail(), 1, "shop");
  CHECK(world.last.changes.empty());
}

TEST_CASE("only the reading that is waited for counts, once") {
  MailWorld world;
  world.arrive(world.mail());
  world.parsed(world.letter(), "", 1);  // nobody asked yet
  CHECK(world.state.arrival->state == ArrivalState::received);
  world.hand_out();
  world.hand_out();
  world.parsed(world.letter(), "", 1);
  CHECK(world.state.arrival->state == ArrivalState::received);
  world.parsed(world.letter(), "", 2);
  CHECK(world.state.arrival->state == ArrivalState::opened);
  world.parsed(world.letter("by order"), "", 2);
  CHECK(world.counters["ticket_number"] == 1);
  CHECK(world.noted("parsed_again") != nullptr);
}

TEST_CASE("a reading of a mail that nobody knows is an alarm") {
  MailWorld world;
  world.parsed(world.letter(), "", 1);
  REQUIRE(world.last.notices.size() == 1);
  CHECK(world.last.notices[0].is_alarm);
  CHECK(world.last.changes.empty());
}

TEST_CASE("duplicates by content and by sender and subject") {
  SUBCASE("Message-ID and content, in the same mailbox") {
    MailWorld world;
    world.state.same_content = world.other_mail();
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::duplicate);
    CHECK(world.state.mail->duplicate_of == "other");
    CHECK(world.state.mail->content_key.empty());
    REQUIRE(world.noted("duplicate") != nullptr);
    CHECK(world.noted("duplicate")->ticket_id == "ticket");
    CHECK(world.noted("duplicate")->detail.find("Message-ID") != std::string::npos);
  }
  SUBCASE("to two of our mailboxes: two tickets") {
    MailWorld world;
    world.state.same_content = world.other_mail();
    world.state.same_content->inbox_id = "another";
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::opened);
  }
  SUBCASE("a reply to two of our mailboxes on one ticket: one comment") {
    MailWorld world;
    world.answers(By::references, true);
    world.state.same_content = world.other_mail();
    world.state.same_content->inbox_id = "another";
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::duplicate);
  }
  SUBCASE("sender and subject") {
    MailWorld world;
    world.state.same_sender_subject = world.other_mail();
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::duplicate);
    CHECK(world.state.mail->why.find("sender and subject") != std::string::npos);
  }
  SUBCASE("but a reply is none, however alike") {
    MailWorld world;
    world.answers(By::references, true);
    world.state.same_sender_subject = world.other_mail();
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::reply);
  }
  SUBCASE("a used Message-ID with other content is imported and flagged") {
    MailWorld world;
    world.state.same_message_id = world.other_mail();
    world.read(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::opened);
    REQUIRE(world.noted("message_id_reused") != nullptr);
    CHECK(world.noted("message_id_reused")->ticket_id == MailWorld::promised);
    CHECK(world.noted("message_id_reused")->detail.find("other") != std::string::npos);
  }
}

TEST_CASE("texts are cut to what a ticket may hold, and say so") {
  MailWorld world;
  auto letter = world.letter();
  letter.title = std::string(300, 't');
  letter.text.clear();
  while (letter.text.size() < 150'000) letter.text += "ä";
  letter.sender_name = std::string(300, 'n');
  world.read(letter);
  CHECK(world.state.ticket->title.size() == 255);
  CHECK(world.state.ticket->description.size() <= 100'000);
  CHECK(world.state.ticket->description.ends_with("kept whole.]"));
  CHECK(world.state.ticket->creator_name->size() == 200);
}

TEST_CASE("a mail without sender, subject and Message-ID is a ticket all the same") {
  MailWorld world;
  world.state.settings.default_board_id = "desk";
  world.read(messages::ParsedMail{});
  REQUIRE(world.state.ticket.has_value());
  CHECK(world.state.ticket->title == "(no subject)");
  CHECK_FALSE(world.state.ticket->creator_email.has_value());
  CHECK(world.threads.empty());
  CHECK(world.participants.empty());
  CHECK(world.state.mail->sender_subject_key.empty());
}

TEST_CASE("the creator is confirmed when a person wrote, and nobody is when a machine did") {
  for (const bool is_person : {true, false}) {
    MailWorld world;
    world.state.smtp.emplace();
    world.state.smtp->id = "smtp";
    auto letter = world.letter();
    letter.may_be_confirmed = is_person;
    letter.is_auto = !is_person;
    world.read(letter);
    CHECK(world.deliveries.size() == (is_person ? 1u : 0u));
    if (is_person) CHECK(world.deliveries[0].recipient == "ann@customer.example");
  }
}

TEST_CASE("what a mail is looked up by: the nearest mail first, each once, and no more than enough") {
  messages::MailParsed message;
  message.arrival_id = MailWorld::arrival_id;
  message.mail = MailWorld::letter();
  message.mail->sender_address = "Ann@Customer.Example";
  message.mail->in_reply_to = {"c@x"};
  message.mail->references = {"a@x", "b@x", "c@x"};
  messages::Envelope envelope;
  const auto wanted = needs(message, Incoming{envelope, "", "", "", "", ""});
  REQUIRE(wanted.trace.has_value());
  CHECK(wanted.trace->answered == std::vector<std::string>{"c@x", "b@x", "a@x"});
  CHECK(wanted.trace->sender_address == "ann@customer.example");
  for (int i = 0; i < 500; ++i) message.mail->references.push_back(std::to_string(i) + "@x");
  CHECK(needs(message, Incoming{envelope, "", "", "", "", ""}).trace->answered.size() == 60);
}
