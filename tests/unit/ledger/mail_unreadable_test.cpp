// Mails that could not be read, or not fetched whole: what is known of them, and what a person can make of them.

#include "tests/unit/ledger/mail_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::StandbyState;
using store::ArrivalState;
using store::MailStage;

using By = FoundThread::By;

TEST_CASE("what cannot be read waits on the shelf with the reason, whole") {
  MailWorld world;
  world.arrive(world.mail());
  world.hand_out();
  world.parsed(std::nullopt, "it broke the parser");
  CHECK(world.state.mail->verdict == "unparsable");
  CHECK(world.state.arrival->state == ArrivalState::standby);
  CHECK(world.state.item->reason_class == "unparsable");
  CHECK(world.state.item->reason.find("broke the parser") != std::string::npos);
  const auto original = codec::decode<messages::MailArrived>(world.state.item->original);
  REQUIRE(original.ok());
  CHECK(original->blob == world.mail().blob);
  CHECK(original->ticket_id == MailWorld::promised);
}

TEST_CASE("of a mail that nobody can read its header tells what it is, and a board makes a ticket of it") {
  MailWorld world;
  world.state.mailbox->after_import = messages::AfterImport::seen;
  world.state.smtp.emplace();
  world.state.smtp->id = "smtp";
  world.arrive(world.mail());
  world.hand_out();
  const messages::CrudeHeader header{"Keys lost", "ann@customer.example", "Ann", false, ""};
  world.parsed(std::nullopt, "it broke the parser", {}, header);
  CHECK(world.state.arrival->state == ArrivalState::standby);
  CHECK(world.state.mail->subject == "Keys lost");
  CHECK(world.state.mail->sender_address == "ann@customer.example");
  CHECK(world.state.mail->sender_name == "Ann");

  SUBCASE("sent on without a board it is read again, and waits again") {
    world.retry();
    world.hand_out();
    world.parsed(std::nullopt, "it broke the parser", {}, header);
    CHECK(world.state.arrival->state == ArrivalState::standby);
    CHECK(world.state.item->state == StandbyState::open);
    CHECK(world.state.item->attempts == 2);
    CHECK_FALSE(world.state.ticket.has_value());
  }
  SUBCASE("sent on to a board, and it can be read now: a ticket like all others") {
    world.retry("shop");
    world.hand_out();
    world.parsed(world.letter("hello"));
    CHECK(world.state.ticket->title == "hello");
    CHECK(world.deliveries.size() == 1);
  }
  SUBCASE("sent on to a board that is archived by now it waits, and says both") {
    world.retry("old");
    world.hand_out();
    world.parsed(std::nullopt, "it broke the parser", {}, header);
    CHECK(world.state.item->reason.find("broke the parser") != std::string::npos);
    CHECK(world.state.item->reason.find("archived") != std::string::npos);
    CHECK(world.state.item->reason_class == "unparsable");
  }
  SUBCASE("sent on to a board") {
    world.retry("shop");
    world.hand_out();
    SUBCASE("and told again that it cannot be read") { world.parsed(std::nullopt, "it broke the parser", {}, header); }
    SUBCASE("and given up by the broker") {
      messages::Envelope envelope;
      envelope.message_id = "00000000-0000-4000-8000-000000000003";
      envelope.type = messages::MailParse::type;
      const std::string body = codec::encode(messages::MailParse{MailWorld::arrival_id, 2, *world.mail().blob, {}});
      const Incoming in{envelope, "standby", "", "standby", R"({"x-first-death-reason":"delivery_limit"})", body};
      CHECK(dead_letter_needs(in).trace.has_value());  // boards come with it
      CHECK(dead_letter_needs(in).ticket_number);
      world.carry_out(decide_dead_letter(world.state, in, world.context));
    }
    REQUIRE(world.state.ticket.has_value());
    const auto& ticket = *world.state.ticket;
    CHECK(ticket.id == MailWorld::promised);
    CHECK(ticket.board_id == "shop");
    CHECK(ticket.title == "Keys lost");
    CHECK(ticket.description.find("cannot be read") != std::string::npos);
    CHECK(ticket.creator_email == "ann@customer.example");
    CHECK(ticket.creator_name == "Ann");
    CHECK(world.deliveries.empty());
    REQUIRE(world.attachments.size() == 1);
    CHECK(world.attachments[0].name == "mail.eml");
    CHECK(world.attachments[0].content_type == "message/rfc822");
    CHECK(world.attachments[0].sha256 == std::string(64, 'a'));
    CHECK(world.attachments[0].size == 1'234);
    CHECK(world.state.mail->verdict == "ticket");
    CHECK(world.state.mail->ticket_id == ticket.id);
    CHECK(world.state.mail->why.find("assigned to board Shop") != std::string::npos);
    CHECK(world.state.arrival->state == ArrivalState::opened);
    CHECK(world.state.item->state == StandbyState::resolved);
    CHECK(world.noted("opened")->detail.find("cannot be read") != std::string::npos);
    CHECK(world.chores.size() == 1);
  }
}

TEST_CASE("a mail that nobody can read and that has no header is a ticket all the same once it has a board") {
  MailWorld world;
  world.arrive(world.mail());
  world.hand_out();
  world.parsed(std::nullopt, "it broke the parser");
  world.retry("desk");
  world.hand_out();
  world.parsed(std::nullopt, "it broke the parser", {}, messages::CrudeHeader{"", "no address", "", true, "Precedence: bulk"});
  REQUIRE(world.state.ticket.has_value());
  CHECK(world.state.ticket->title == "Mail that could not be read");
  CHECK_FALSE(world.state.ticket->creator_email.has_value());
  CHECK(world.participants.empty());
  CHECK(world.state.mail->is_auto);
}

TEST_CASE("a job that the broker gave up on puts its mail on the shelf; an older one is an echo") {
  MailWorld world;
  world.arrive(world.mail());
  world.hand_out();
  world.hand_out();
  const auto give_up = [&](std::int64_t parse_no) {
    messages::Envelope envelope;
    envelope.message_id = "00000000-0000-4000-8000-000000000003";
    envelope.type = messages::MailParse::type;
    const std::string body = codec::encode(messages::MailParse{MailWorld::arrival_id, parse_no, *world.mail().blob, {}});
    const Incoming in{envelope, "standby", "", "standby", R"({"x-first-death-reason":"delivery_limit"})", body};
    CHECK(dead_letter_needs(in).mail_id == MailWorld::arrival_id);
    world.carry_out(decide_dead_letter(world.state, in, world.context));
  };
  give_up(1);
  CHECK(world.state.mail->stage == MailStage::parsing);
  CHECK(world.last.changes.empty());
  give_up(2);
  CHECK(world.state.mail->verdict == "unparsable");
  CHECK(world.state.item->reason.find("delivery_limit") != std::string::npos);
}

TEST_CASE("a reading that cannot be taken puts its mail on the shelf, not itself; a late one is nothing") {
  MailWorld world;
  world.arrive(world.mail());
  world.hand_out();
  messages::Envelope envelope;
  envelope.message_id = "00000000-0000-4000-8000-000000000005";
  envelope.correlation_id = MailWorld::arrival_id;
  envelope.type = messages::MailParsed::type;
  const Incoming in{envelope, "result", "result", "ledger.results", "", "{"};
  CHECK(poison_needs(in).mail_id == MailWorld::arrival_id);
  world.carry_out(decide_poison(world.state, in, "invalid_body", "not JSON", world.context));
  CHECK(world.state.mail->verdict == "unparsable");
  CHECK(world.state.item->message_type == messages::MailArrived::type);
  world.carry_out(decide_poison(world.state, in, "invalid_body", "not JSON", world.context));
  CHECK(world.last.changes.empty());
}

TEST_CASE("of a mail that is too large the header is read, and a person decides") {
  MailWorld world;
  auto message = world.mail();
  message.extent = messages::MailExtent::header_only;
  message.trouble = "it has 80 MB, and the limit is 50 MB";
  world.arrive(message);
  world.hand_out();
  world.parsed(world.letter());
  CHECK(world.state.arrival->state == ArrivalState::standby);
  CHECK(world.state.item->reason_class == "too_large");
  CHECK(world.state.item->reason.find("80 MB") != std::string::npos);
  CHECK(world.state.mail->subject == "My printer smokes");
  CHECK_FALSE(world.state.ticket.has_value());
  SUBCASE("sent on, it is a ticket that says what is missing") {
    world.retry("desk");
    world.hand_out();
    world.parsed(world.letter());
    REQUIRE(world.state.ticket.has_value());
    const std::string remark = "Only the header of the mail was fetched: it has 80 MB, and the limit is 50 MB. The mail itself is still in the folder INBOX of support@example.com.";
    CHECK(world.noted("opened")->detail.find(remark) != std::string::npos);
    CHECK(world.state.ticket->description.starts_with("[" + remark + "]"));
  }
}

TEST_CASE("an answer that is too large says so in its comment; of a mailbox that is gone only the server is known") {
  MailWorld world;
  auto message = world.mail();
  message.extent = messages::MailExtent::header_only;
  message.trouble = "it has 80 MB";
  world.arrive(message);
  world.hand_out();
  world.parsed(world.letter());
  world.state.mailbox.reset();
  world.answers(By::references, true);
  world.retry("desk");
  world.hand_out();
  auto letter = world.letter();
  letter.text = letter.reply_text = "";
  world.parsed(letter);
  REQUIRE(world.comments.size() == 1);
  CHECK(world.comments[0].text == "[Only the header of the mail was fetched: it has 80 MB. The mail itself is still on its server.]");
  CHECK(world.comments[0].full_text.empty());
}

TEST_CASE("a mail of which nothing could be fetched is a ticket of where it is once it has a board") {
  MailWorld world;
  world.state.mailbox->after_import = messages::AfterImport::seen;
  world.state.smtp.emplace();
  world.state.smtp->id = "smtp";
  auto message = world.mail();
  message.extent = messages::MailExtent::none;
  message.blob.reset();
  message.trouble = "NO [CANNOT] broken on disk";
  std::string place = "It is still in the folder INBOX of support@example.com: UID 11 of UIDVALIDITY 7, 1234 bytes.";
  SUBCASE("its size is known") {}
  SUBCASE("its size is not known") {
    message.stated_size = 0;
    place = "It is still in the folder INBOX of support@example.com: UID 11 of UIDVALIDITY 7.";
  }
  SUBCASE("its mailbox is gone") {
    place = "It is still on its server: UID 11 of UIDVALIDITY 7, 1234 bytes.";
    world.arrive(message);
    world.state.mailbox.reset();
  }
  if (!world.state.mail) world.arrive(message);
  world.retry("shop");
  REQUIRE(world.state.ticket.has_value());
  const auto& ticket = *world.state.ticket;
  CHECK(ticket.id == MailWorld::promised);
  CHECK(ticket.number == 42);
  CHECK(ticket.board_id == "shop");
  CHECK(ticket.title == "Mail that could not be fetched");
  CHECK(ticket.description == "[The mail could not be fetched from the server: NO [CANNOT] broken on disk]\n\n" + place);
  CHECK_FALSE(ticket.creator_email.has_value());
  CHECK(world.state.mail->verdict == "ticket");
  CHECK(world.state.mail->ticket_id == ticket.id);
  CHECK(world.state.mail->why.find("assigned to board Shop") != std::string::npos);
  CHECK(world.state.arrival->state == ArrivalState::opened);
  CHECK(world.state.arrival->board_id == "shop");
  CHECK(world.state.item->state == StandbyState::resolved);
  CHECK(world.noted("opened")->detail.find("broken on disk") != std::string::npos);
  CHECK(world.deliveries.empty());
  CHECK(world.attachments.empty());
  CHECK(world.chores.empty());
  CHECK(world.counters["arrivals_standby"] == 0);

  world.arrive(world.mail());  // whole, after all, but late
  CHECK(world.state.ticket->number == 42);
  CHECK(world.state.arrival->state == ArrivalState::opened);
}

TEST_CASE("a mail of which nothing could be fetched waits on when its board is archived by now, and says both") {
  MailWorld world;
  auto message = world.mail();
  message.extent = messages::MailExtent::none;
  message.blob.reset();
  message.trouble = "NO broken on disk";
  world.arrive(message);
  world.retry("old");
  CHECK_FALSE(world.state.ticket.has_value());
  CHECK(world.state.item->state == StandbyState::open);
  CHECK(world.state.item->reason_class == "unfetchable");
  CHECK(world.state.item->reason.find("broken on disk") != std::string::npos);
  CHECK(world.state.item->reason.find("archived") != std::string::npos);
  world.retry("desk");
  CHECK(world.state.ticket->board_id == "desk");
}

TEST_CASE("only a mail that is sent on without bytes asks for the boards at once") {
  auto message = MailWorld::mail();
  messages::Envelope envelope;
  const auto asks = [&] {
    const Needs wanted = needs(message, Incoming{envelope, "", "", "", "", ""});
    CHECK(wanted.boards == wanted.ticket_number);
    return wanted.boards;
  };
  CHECK_FALSE(asks());
  envelope.retry = 1;
  CHECK_FALSE(asks());
  message.blob.reset();
  CHECK(asks());
}
