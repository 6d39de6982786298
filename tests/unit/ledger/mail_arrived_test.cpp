// Mails come in: the arrival, the cursor, what needs no reading.

#include "tests/unit/ledger/mail_world.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::MailExtent;
using store::ArrivalState;
using store::MailStage;

TEST_CASE("a mail arrives with its promised ticket, waits to be read, and moves the cursor") {
  MailWorld world;
  world.arrive(world.mail());
  REQUIRE(world.state.arrival.has_value());
  CHECK(world.state.arrival->kind == "mail");
  CHECK(world.state.arrival->natural_key == "inbox/7/11");
  CHECK(world.state.arrival->ticket_id == MailWorld::promised);
  CHECK(world.state.arrival->state == ArrivalState::received);
  CHECK(world.state.arrival->accepted_at == world.context.now - MailWorld::second);
  REQUIRE(world.state.mail.has_value());
  CHECK(world.state.mail->stage == MailStage::waiting);
  CHECK(world.state.mail->received_at == 999'000 * MailWorld::second);
  CHECK(world.state.mail->blob_size == 1'234);
  CHECK(world.state.mailbox->last_uid == 11);
  CHECK(world.noted("accepted") != nullptr);
}

TEST_CASE("the cursor moves exactly as far as everything before is known") {
  struct Row {
    const char* what;
    std::int64_t validity, previous, uid;            // of the mail; the cursor stands at 7/10
    std::int64_t validity_after, last_after;
  };
  const Row rows[] = {
      {"the next one", 7, 10, 11, 7, 11},
      {"UIDs that were removed in between", 7, 10, 90, 7, 90},
      {"an overlap with what is known", 7, 4, 12, 7, 12},
      {"known long ago", 7, 3, 4, 7, 10},
      {"a gap", 7, 11, 12, 7, 10},
      {"the first of a mailbox that was made anew", 8, 0, 1, 8, 1},
      {"a later one of a mailbox that was made anew", 8, 1, 2, 7, 10},
      {"the first of a listing that began at nothing", 7, 0, 15, 7, 15},
      {"the same below the cursor, and new: the UIDs fell", 7, 0, 3, 7, 3},
      {"nonsense: not behind its predecessor", 7, 10, 10, 7, 10},
      {"nonsense: no UIDVALIDITY", 0, 0, 5, 7, 10},
      {"nonsense: below zero", 7, -1, 11, 7, 10},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    MailWorld world;
    world.arrive(world.mail(row.uid, row.previous, row.validity));
    CHECK(world.state.mailbox->uid_validity == row.validity_after);
    CHECK(world.state.mailbox->last_uid == row.last_after);
    CHECK(world.state.arrival.has_value());  // whatever the cursor does, what came is there
  }
}

TEST_CASE("a known mail below the cursor does not move it back, whatever its listing began at") {
  MailWorld world;
  world.arrive(world.mail(3, 0));
  world.state.mailbox->last_uid = 10;
  world.arrive(world.mail(3, 0));
  CHECK(world.state.mailbox->last_uid == 10);
}

TEST_CASE("a mailbox made anew forgets how many mails were left alone, unless this lease counted them") {
  for (const bool is_counted : {false, true}) {
    CAPTURE(is_counted);
    MailWorld world;
    auto& mailbox = *world.state.mailbox;
    mailbox.server_older = 60;
    mailbox.server_at = world.context.now;
    mailbox.lease_until = world.context.now + micros(world.config.mail.lease) + (is_counted ? 0 : 1);
    world.arrive(world.mail(1, 0, 8));
    CHECK(world.state.mailbox->server_older == (is_counted ? 60 : 0));
  }
}

TEST_CASE("the first contact sets the cursor") {
  MailWorld world;
  world.state.mailbox->uid_validity = world.state.mailbox->last_uid = 0;
  world.arrive(world.mail(500, 0, 99));
  CHECK(world.state.mailbox->uid_validity == 99);
  CHECK(world.state.mailbox->last_uid == 500);
}

TEST_CASE("a mail that comes again changes nothing but the cursor, which it closes the gap for") {
  MailWorld world;
  world.arrive(world.mail(12, 11));  // 11 is missing
  CHECK(world.state.mailbox->last_uid == 10);
  const auto mail = world.state.mail;
  world.state.mailbox->last_uid = 11;  // meanwhile 11 came
  world.arrive(world.mail(12, 11));
  CHECK(world.state.mailbox->last_uid == 12);
  CHECK(world.state.mail == mail);
  CHECK(world.counters["arrivals_accepted"] == 1);
  world.arrive(world.mail(12, 11));  // and once more, as the broker does
  CHECK(world.last.changes.empty());
}

TEST_CASE("what could not be fetched waits on the shelf with the server's words, and counts for the cursor") {
  MailWorld world;
  auto message = world.mail();
  message.extent = MailExtent::none;
  message.blob.reset();
  message.trouble = "NO [CANNOT] broken on disk";
  world.arrive(message);
  CHECK(world.state.arrival->state == ArrivalState::standby);
  CHECK(world.state.mail->verdict == "standby");
  CHECK(world.state.mail->stage == MailStage::decided);
  REQUIRE(world.state.item.has_value());
  CHECK(world.state.item->reason_class == "unfetchable");
  CHECK(world.state.item->reason.find("broken on disk") != std::string::npos);
  CHECK(world.state.item->ticket_id == MailWorld::promised);
  CHECK(world.state.mailbox->last_uid == 11);
  CHECK(world.chores.empty());

  SUBCASE("a retry cannot bring it either") {
    world.retry("desk");
    CHECK(world.state.item->state == messages::StandbyState::open);
    CHECK(world.state.item->attempts == 2);
    CHECK(world.state.item->board_id == "desk");
  }
  SUBCASE("fetched whole after all, it is read, also when somebody sends on what was there before") {
    world.arrive(world.mail());
    world.retry();
    CHECK(world.state.mail->extent == MailExtent::whole);
    CHECK(world.state.mail->stage == MailStage::waiting);
    CHECK(world.state.item->state == messages::StandbyState::retry_pending);
  }
  SUBCASE("fetched whole after all, and deleted before it was read") {
    world.arrive(world.mail());
    world.hand_out();
    messages::Envelope envelope;
    envelope.message_id = "00000000-0000-4000-8000-000000000002";
    const messages::StandbyDelete command{world.state.item->id, "ada", {}, {}};
    world.carry_out(decide(world.state, command, Incoming{envelope, "", "", "", "", ""}, world.context));
    world.parsed(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::deleted);
    CHECK_FALSE(world.state.ticket.has_value());
  }
  SUBCASE("fetched whole after all, it is read") {
    world.arrive(world.mail());
    CHECK(world.state.mail->stage == MailStage::waiting);
    CHECK(world.state.mail->extent == MailExtent::whole);
    world.hand_out();
    world.parsed(world.letter());
    CHECK(world.state.arrival->state == ArrivalState::opened);
    CHECK(world.state.item->state == messages::StandbyState::resolved);
  }
}

TEST_CASE("a mail of a mailbox that is gone waits on the shelf, and an assigned board takes it") {
  MailWorld world;
  world.state.mailbox.reset();
  world.arrive(world.mail());
  CHECK(world.state.item->reason_class == "inbox_unknown");
  world.retry("desk");
  world.hand_out();
  world.parsed(world.letter("Nothing that matches"));
  CHECK(world.state.arrival->state == ArrivalState::opened);
  CHECK(world.state.ticket->board_id == "desk");
}

TEST_CASE("a replay from the shelf moves no cursor, however old it is") {
  for (const std::int64_t validity : {7, 8}) {
    MailWorld world;
    world.arrive(world.mail(15, 14));  // behind a gap
    world.hand_out();
    world.parsed(world.letter("Nothing that matches"));
    world.state.mailbox->uid_validity = validity;
    const auto mailbox = world.state.mailbox;
    world.retry("desk");
    CHECK(world.state.mailbox == mailbox);
  }
}

TEST_CASE("the same bytes in the same mailbox are a duplicate, without being read") {
  MailWorld world;
  world.state.mailbox->after_import = messages::AfterImport::seen;
  world.state.same_bytes = world.other_mail();
  world.arrive(world.mail(1, 0, 8));
  CHECK(world.state.arrival->state == ArrivalState::duplicate);
  CHECK(world.state.mail->verdict == "duplicate");
  CHECK(world.state.mail->duplicate_of == "other");
  CHECK(world.state.mail->ticket_id == "ticket");
  CHECK(world.state.mailbox->uid_validity == 8);
  REQUIRE(world.noted("duplicate") != nullptr);
  CHECK(world.noted("duplicate")->ticket_id == "ticket");
  REQUIRE(world.chores.size() == 1);
  CHECK(world.chores[0].argument == "\\Seen");
  CHECK(world.last.must_arrive.empty());
}

TEST_CASE("a duplicate of a duplicate is linked to the first") {
  MailWorld world;
  world.state.same_bytes = world.other_mail("second");
  world.state.same_bytes->duplicate_of = "first";
  world.arrive(world.mail());
  CHECK(world.state.mail->duplicate_of == "first");
}

TEST_CASE("two headers without their mails are one mail only when the mailbox was made anew") {
  for (const bool is_anew : {true, false}) {
    MailWorld world;
    world.state.same_bytes = world.other_mail();
    world.state.same_bytes->extent = MailExtent::header_only;
    auto message = is_anew ? world.mail(1, 0, 8) : world.mail();
    message.extent = MailExtent::header_only;
    world.arrive(message);
    CHECK((world.state.arrival->state == ArrivalState::duplicate) == is_anew);
  }
}

TEST_CASE("a server that gives one UID to two mails loses neither") {
  MailWorld world;
  world.arrive(world.mail());
  auto second = world.mail();
  second.blob->sha256 = std::string(64, 'b');
  *second.received_at_us += 1'000'000;
  world.arrive(second);
  REQUIRE(world.state.item.has_value());
  CHECK(world.state.item->kind == messages::StandbyKind::poison);
  CHECK(world.state.item->reason_class == "uid_reused");
  CHECK(world.state.mail->blob_sha256 == std::string(64, 'a'));
  const std::string id = world.state.item->id;
  world.arrive(second);
  CHECK(world.state.item->id == id);  // the same item, however often it comes
  CHECK(std::ranges::count(world.history, "uid_reused", &store::HistoryRow::action) == 1);
  CHECK(world.counters["arrivals_accepted"] == 1);
}

TEST_CASE("a server that puts a mail together anew for each fetch: one mail, and nothing on the shelf") {
  MailWorld world;
  world.arrive(world.mail());
  auto again = world.mail();
  again.blob->sha256 = std::string(64, 'b');
  again.blob->size += 200;  // longer boundaries
  world.arrive(again);
  CHECK_FALSE(world.state.item.has_value());
  CHECK(world.noted("fetched_with_other_bytes") != nullptr);
  CHECK(world.noted("uid_reused") == nullptr);
  CHECK(world.state.mail->blob_sha256 == std::string(64, 'a'));  // what was judged stays
  CHECK(world.counters["arrivals_accepted"] == 1);
  SUBCASE("another size is another mail") { again.blob->size += 5'000; }
  SUBCASE("so is another time") { *again.received_at_us += 1'000'000; }
  SUBCASE("and who names no time cannot be told apart") { again.received_at_us.reset(); }
  world.arrive(again);
  CHECK(world.noted("uid_reused") != nullptr);
}

TEST_CASE("the second mail of one UID is edited into a mail of its own too, and the first one keeps its item") {
  MailWorld world;
  world.arrive(world.mail());
  auto second = world.mail();
  second.blob->sha256 = std::string(64, 'b');
  *second.received_at_us += 1'000'000;
  world.arrive(second);
  world.state.arrival->state = ArrivalState::standby;
  world.state.arrival->standby_id = "item of the first";
  std::swap(world.counters["arrivals_received"], world.counters["arrivals_standby"]);
  const std::string original_id = world.state.item->id;
  auto message = codec::decode<messages::MailArrived>(world.state.item->original);
  REQUIRE(message.ok());
  messages::Envelope envelope;
  envelope.message_id = "00000000-0000-4000-8000-000000000004";
  envelope.type = messages::StandbyEdit::type;
  message->trouble = "edited";
  const messages::StandbyEdit edit{original_id, "ada", {}, "copy", {codec::encode(*message)}};
  world.carry_out(decide(world.state, edit, Incoming{envelope, "", "", "", "", ""}, world.context));
  REQUIRE(world.last.must_arrive.size() == 1);
  const auto& replay = world.last.must_arrive[0];
  const auto sent = codec::decode<messages::MailArrived>(replay.body);
  REQUIRE(sent.ok());
  CHECK(replay.envelope.message_id == crypto::uuid_v5(original_id, {"message"}));  // as a retry of the original would be
  CHECK(sent->ticket_id == crypto::uuid_v5(replay.envelope.message_id, {"ticket"}));
  CHECK(sent->trouble == "edited");
  CHECK(world.state.arrival->standby_id == "item of the first");
}

TEST_CASE("the second mail of one UID is sent on under an id of its own") {
  MailWorld world;
  world.arrive(world.mail());
  auto second = world.mail();
  second.blob->sha256 = std::string(64, 'b');
  *second.received_at_us += 1'000'000;
  world.arrive(second);
  messages::Envelope envelope;
  envelope.message_id = "00000000-0000-4000-8000-000000000004";
  envelope.type = messages::StandbyRetry::type;
  world.carry_out(decide(world.state, messages::StandbyRetry{world.state.item->id, "ada", {}}, Incoming{envelope, "", "", "", "", ""}, world.context));
  REQUIRE(world.last.must_arrive.size() == 1);
  const auto& replay = world.last.must_arrive[0];
  const auto message = codec::decode<messages::MailArrived>(replay.body);
  REQUIRE(message.ok());
  CHECK(replay.envelope.message_id != MailWorld::arrival_id);
  CHECK(message->ticket_id == crypto::uuid_v5(replay.envelope.message_id, {"ticket"}));
  CHECK(message->blob == second.blob);

  MailWorld other;  // where nothing is known under the new id
  other.state.pending_item = world.state.item;
  const Incoming in{replay.envelope, "cmd", "intake", "ledger.intake", "", replay.body};
  other.carry_out(decide(other.state, *message, in, other.context));
  CHECK(other.state.arrival->id == replay.envelope.message_id);
  CHECK(other.state.arrival->natural_key.starts_with("inbox/7/11/"));
  CHECK(other.state.mail->stage == MailStage::waiting);
  CHECK(other.state.item->state == messages::StandbyState::resolved);
}

TEST_CASE("a mail that could not be taken holds up nobody behind it in its mailbox") {
  const auto shelve = [](MailWorld& world, std::string_view reason_class) {
    messages::Envelope envelope;
    envelope.message_id = envelope.correlation_id = MailWorld::arrival_id;
    envelope.type = messages::MailArrived::type;
    const std::string body = codec::encode(world.mail());
    const Incoming in{envelope, "cmd", "intake", "ledger.intake", "", body};
    CHECK(poison_needs(in).mailbox_id == "inbox");
    world.carry_out(decide_poison(world.state, in, reason_class, "because", world.context));
  };
  MailWorld world;
  shelve(world, "ended_the_ledger");
  CHECK(world.state.mailbox->last_uid == 11);
  CHECK(world.state.item->kind == messages::StandbyKind::poison);
  MailWorld forged;
  shelve(forged, "not_allowed");
  CHECK(forged.state.mailbox->last_uid == 10);
}

TEST_CASE("what is done on the server after import is as the mailbox wishes") {
  struct Row {
    messages::AfterImport after;
    std::size_t count;
    messages::ChoreVerb verb;
    const char* argument;
  };
  const Row rows[] = {{messages::AfterImport::keep, 0, {}, ""},
                      {messages::AfterImport::seen, 1, messages::ChoreVerb::flag, "\\Seen"},
                      {messages::AfterImport::move, 1, messages::ChoreVerb::move, "Done"},
                      {messages::AfterImport::erase, 1, messages::ChoreVerb::erase, ""}};
  for (const auto& row : rows) {
    MailWorld world;
    world.state.mailbox->after_import = row.after;
    world.state.mailbox->after_folder = "Done";
    world.read(world.letter());
    REQUIRE(world.chores.size() == row.count);
    if (row.count == 0) continue;
    CHECK(world.chores[0].verb == row.verb);
    CHECK(world.chores[0].argument == row.argument);
    CHECK(world.chores[0].uid_validity == 7);
    CHECK(world.chores[0].uid == 11);
  }
}

TEST_CASE("a mail that is not here whole is neither moved nor deleted on the server") {
  struct Row {
    messages::AfterImport after;
    MailExtent extent;
    std::size_t count;
  };
  const Row rows[] = {{messages::AfterImport::seen, MailExtent::header_only, 1}, {messages::AfterImport::move, MailExtent::header_only, 0},
                      {messages::AfterImport::erase, MailExtent::header_only, 0}, {messages::AfterImport::move, MailExtent::none, 0},
                      {messages::AfterImport::erase, MailExtent::none, 0}};
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.after));
    CAPTURE(static_cast<int>(row.extent));
    MailWorld world;
    world.state.mailbox->after_import = row.after;
    world.state.mailbox->after_folder = "Done";
    auto message = world.mail();
    message.extent = row.extent;
    message.trouble = "too large";
    if (row.extent == MailExtent::none) message.blob.reset();
    world.arrive(message);
    if (row.extent == MailExtent::header_only) {
      world.hand_out();
      world.parsed(world.letter());
    }
    REQUIRE(world.state.arrival->state == ArrivalState::standby);
    messages::Envelope envelope;
    envelope.message_id = "00000000-0000-4000-8000-000000000002";
    const messages::StandbyDelete command{world.state.item->id, "ada", {}, {}};
    world.carry_out(decide(world.state, command, Incoming{envelope, "", "", "", "", ""}, world.context));
    CHECK(world.state.arrival->state == ArrivalState::deleted);
    CHECK(world.chores.size() == row.count);
  }
}

TEST_CASE("a mail is handed out to be read, and again after silence with more patience") {
  MailWorld world;
  world.state.own_addresses = {"support@example.com"};
  world.arrive(world.mail());
  world.hand_out();
  CHECK(world.state.mail->stage == MailStage::parsing);
  CHECK(world.state.mail->parse_no == 1);
  const auto first = world.state.mail->due_at - world.context.now;
  CHECK(first == micros(world.config.mail.parse_timeout));
  REQUIRE(world.last.must_arrive.size() == 1);
  const auto job = codec::decode<messages::MailParse>(world.last.must_arrive[0].body);
  REQUIRE(job.ok());
  CHECK(job->arrival_id == MailWorld::arrival_id);
  CHECK(job->blob == messages::BlobRef{std::string(64, 'a'), 1'234});
  CHECK(job->own_addresses == world.state.own_addresses);
  CHECK(world.last.must_arrive[0].routing_key == "mail_router");
  CHECK(world.last.must_arrive[0].envelope.correlation_id == MailWorld::arrival_id);

  world.hand_out();
  CHECK(world.state.mail->parse_no == 2);
  CHECK(world.state.mail->due_at - world.context.now == 2 * first);
  for (int i = 0; i < 20; ++i) world.hand_out();
  CHECK(world.state.mail->due_at - world.context.now == 32 * first);
  world.parsed(world.letter());
  world.hand_out();
  CHECK(world.last.must_arrive.empty());
}

TEST_CASE("deleting a mail's item decides it: its place on the server is tidied, a late reading is too late") {
  MailWorld world;
  world.state.mailbox->after_import = messages::AfterImport::seen;
  world.read(world.letter("Nothing that matches"));
  CHECK(world.chores.empty());
  messages::Envelope envelope;
  envelope.message_id = "00000000-0000-4000-8000-000000000002";
  const messages::StandbyDelete command{world.state.item->id, "ada", {}, {}};
  world.carry_out(decide(world.state, command, Incoming{envelope, "", "", "", "", ""}, world.context));
  CHECK(world.state.arrival->state == ArrivalState::deleted);
  CHECK(world.state.mail->verdict == "deleted");
  CHECK(world.state.mail->decided_at == world.context.now);
  CHECK(world.chores.size() == 1);
  world.parsed(world.letter());
  CHECK(world.state.arrival->state == ArrivalState::deleted);
}
